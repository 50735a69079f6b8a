"""The event stream over HTTP."""

import asyncio
import json

import httpx
import pytest

from app.observe.ring import Ring
from app.web.app import create_app
from tests.standins.redis import RedisServer, needs_redis, until
from tests.standins.server import serving
from tests.web.conftest import Knock, _nothing, make_parts, replica


def filled() -> Ring:
    ring = Ring()
    for number, (name, level) in enumerate(
        [("call.admitted", "info"), ("speech.rendered", "info"), ("provider.failed", "warning")]
    ):
        ring.read(
            {"event": name, "level": level, "timestamp": f"2026-01-01T00:00:0{number}Z", "call_sid": "CA1"}
        )
    return ring


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/logs", ["call.admitted", "speech.rendered", "provider.failed"]),
        ("/logs?limit=1", ["provider.failed"]),
        ("/logs?level=warning", ["provider.failed"]),
        ("/logs?event=call.admitted", ["call.admitted"]),
        ("/logs?call_sid=CA2", []),
        ("/logs?since=2026-01-01T00:00:00Z", ["speech.rendered", "provider.failed"]),
        ("/logs/streaming", ["speech.rendered", "provider.failed"]),
    ],
)
async def test_filters_choose_the_events_newest_last(knock: Knock, path: str, names: list[str]) -> None:
    async with knock(make_parts(ring=filled())) as http:
        answer = await http.get(path)

    assert [event["event"] for event in answer.json()["events"]] == names
    assert answer.headers["cache-control"] == "no-store"


async def test_without_a_store_the_answer_has_the_shape_of_a_fleets(knock: Knock) -> None:
    async with knock(make_parts(ring=filled())) as http:
        body = (await http.get("/logs")).json()

    assert (body["replica"], body["replicas"], body["store"]) == ("hotline", 1, "none")
    assert {event["replica"] for event in body["events"]} == {"hotline"}


@needs_redis
async def test_any_replica_tells_the_events_of_all_by_the_same_filters(knock: Knock) -> None:
    async with (
        RedisServer() as server,
        replica(server.url, "a") as one,
        replica(server.url, "b") as other,
        knock(one) as http,
    ):
        for number, (name, level) in enumerate([("stream.started", "info"), ("call.ended", "warning")]):
            said = {"event": name, "level": level, "timestamp": f"2026-01-01T00:00:0{number}Z"}
            for events in filter(None, [other.events]):
                events.read({**said, "call_sid": "CA1"})
        await until(lambda: other.events is not None and not other.events._waiting)
        await until(lambda: one.fleet is not None and one.fleet.known == 2)
        found = {
            path: (await http.get(path)).json()
            for path in ("/logs", "/logs/streaming", "/logs?level=warning", "/logs?limit=1&call_sid=CA1")
        }

    assert [(each["event"], each["replica"]) for each in found["/logs"]["events"]] == [
        ("stream.started", "b"),
        ("call.ended", "b"),
    ]
    assert [each["event"] for each in found["/logs/streaming"]["events"]] == ["stream.started"]
    assert [each["event"] for each in found["/logs?level=warning"]["events"]] == ["call.ended"]
    assert [each["event"] for each in found["/logs?limit=1&call_sid=CA1"]["events"]] == ["call.ended"]
    assert [found["/logs"][key] for key in ("replica", "replicas", "store")] == ["a", 2, "ready"]


async def test_with_the_store_away_the_ring_answers_and_says_so(knock: Knock) -> None:
    async with replica("redis://127.0.0.1:1", "a", ring=filled()) as parts, knock(parts) as http:
        body = (await http.get("/logs?level=warning")).json()

    assert [(event["event"], event["replica"]) for event in body["events"]] == [("provider.failed", "a")]
    assert (body["replicas"], body["store"]) == (1, "away")


@needs_redis
async def test_a_live_reader_of_a_fleet_has_numbers_that_any_replica_knows() -> None:
    async with (
        asyncio.timeout(30),
        RedisServer() as server,
        replica(server.url, "a") as one,
        replica(server.url, "b") as other,
        serving(create_app(one, _nothing)) as url,
        httpx.AsyncClient(base_url=url) as http,
        http.stream("GET", "/logs/stream?event=x", headers={"Last-Event-ID": "0-0"}) as answer,
    ):
        for events in filter(None, [other.events]):
            events.read({"event": "x.there", "level": "info", "timestamp": "2026-01-01T00:00:00Z"})
        lines = answer.aiter_lines()
        told = [await anext(lines) for _ in range(4)]
        kept = await server.do("XREVRANGE", "hotline:{1}:events", "+", "-")

    assert told[2].removeprefix("id: ") in {number.decode() for number, _ in kept}
    assert json.loads(told[3].removeprefix("data: "))["replica"] == "b"


async def test_a_live_reader_in_an_absence_is_told_what_happens_here_without_a_number() -> None:
    async with (
        asyncio.timeout(30),
        replica("redis://127.0.0.1:1", "a") as parts,
        serving(create_app(parts, _nothing)) as url,
        httpx.AsyncClient(base_url=url) as http,
        http.stream("GET", "/logs/stream", headers={"Last-Event-ID": "0-0"}) as answer,
    ):
        parts.ring.read({"event": "x.here", "level": "info", "timestamp": "2026-01-01T00:00:00Z"})
        lines = answer.aiter_lines()
        told = [await anext(lines) for _ in range(4)]

    assert told[:3] == [": following", "", ": here only"]
    assert json.loads(told[3].removeprefix("data: "))["event"] == "x.here"


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "level=loud"])
async def test_a_filter_that_cannot_be_used_is_named(knock: Knock, query: str) -> None:
    async with knock(make_parts(ring=filled())) as http:
        answer = await http.get(f"/logs?{query}")

    assert answer.status_code == 400
    assert query.partition("=")[2] in answer.json()["error"]


async def test_a_live_reader_gets_what_it_missed_and_then_what_happens() -> None:
    ring = filled()
    app = create_app(make_parts(ring=ring), _nothing)
    async with (
        asyncio.timeout(5),
        serving(app) as url,
        httpx.AsyncClient(base_url=url) as http,
        http.stream("GET", "/logs/stream", headers={"Last-Event-ID": "2"}) as answer,
    ):
        lines = answer.aiter_lines()
        missed = [await anext(lines) for _ in range(4)]
        ring.read({"event": "call.ended", "level": "info"})
        fresh = [await anext(lines) for _ in range(3)]

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert missed[2] == "id: 3"
    assert json.loads(missed[3].removeprefix("data: "))["event"] == "provider.failed"
    assert json.loads(fresh[2].removeprefix("data: "))["event"] == "call.ended"
