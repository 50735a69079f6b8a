"""The event stream over HTTP."""

import asyncio
import json

import httpx
import pytest

from app.observe.ring import Ring
from app.web.app import create_app
from tests.standins.server import serving
from tests.web.conftest import Knock, _nothing, make_parts


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
