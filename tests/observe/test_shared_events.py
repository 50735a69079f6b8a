"""The events of a fleet, on a real server."""

import asyncio
import json
from typing import Any

import pytest

from app.capacity.store import Store, StoreAway
from app.log import MASK, attach, configure, log
from app.observe import shared_events
from app.observe.ring import Filter
from app.observe.shared_events import MOST_WAITING, SharedEvents
from tests.standins.redis import RedisServer, needs_redis, until

LONG = 30.0
ALL = Filter()


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"event": name, "level": "info", **fields}


async def written(events: SharedEvents) -> None:
    await until(lambda: not events._waiting)
    await asyncio.sleep(0.05)


@needs_redis
async def test_any_replica_tells_the_events_of_all_in_order_and_whose_they_are() -> None:
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as one,
        SharedEvents(store, "b") as other,
    ):
        one.read(event("call.admitted", call_sid="CA1"))
        await written(one)
        other.read(event("stream.started", call_sid="CA1", at=object()))
        other.read(event("call.admitted", call_sid="CA2"))
        await written(other)
        told = await one.last(10, Filter(call_sid="CA1"))
        newest = await one.last(1, ALL)

    assert [(each["replica"], each["event"]) for each in told] == [
        ("a", "call.admitted"),
        ("b", "stream.started"),
    ]
    assert [each["call_sid"] for each in newest] == ["CA2"]


@needs_redis
async def test_a_reader_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_events, "CHUNK", 2)
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as events,
    ):
        here, nothing = await events.after("", ALL)
        for number in range(5):
            events.read(event(f"x.{number}", level="error" if number == 4 else "info"))
        await written(events)
        seen = []
        while found := await events.after(here, ALL):
            if found[0] == here:
                break
            here, some = found
            seen += [each["event"] for _, each in some]
        errors = await events.last(2, Filter(level="error"))

    assert nothing == []
    assert seen == [f"x.{number}" for number in range(5)]
    assert [each["event"] for each in errors] == ["x.4"]


@needs_redis
async def test_a_page_has_this_replicas_very_last_word_and_all_in_the_order_they_were_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_events, "WRITE_S", LONG)
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as one,
        SharedEvents(store, "b") as other,
    ):
        one.read(event("x.late", timestamp="2026-01-01T00:00:02Z"))
        assert [each["event"] for each in await one.last(10, ALL)] == ["x.late"]
        other.read(event("x.early", timestamp="2026-01-01T00:00:01Z"))
        told = await other.last(10, ALL)

    assert [each["event"] for each in told] == ["x.early", "x.late"]


@needs_redis
async def test_the_replica_is_who_says_it_whatever_it_says() -> None:
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as events,
    ):
        events.read(event("x.moved", replica="b"))
        told = await events.last(1, ALL)

    assert told[0]["replica"] == "a"


@needs_redis
async def test_what_another_version_wrote_is_passed_over() -> None:
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as events,
    ):
        for field, value in (("event", "<xml/>"), ("event", "[]"), ("other", "x")):
            await server.do("XADD", store.key("events"), "*", field, value)
        events.read(event("x.ours"))
        told = await events.last(10, ALL)
        _, followed = await events.after("0-0", ALL)

    assert [each["event"] for each in told] == ["x.ours"]
    assert [each["event"] for _, each in followed] == ["x.ours"]


@needs_redis
async def test_a_page_does_not_wait_for_a_store_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_events, "LAST_WITHIN_S", 0.05)
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as events,
    ):
        await server.pause(2000)
        with pytest.raises(StoreAway):
            await events.last(1, ALL)


@needs_redis
async def test_callers_words_and_numbers_are_masked_before_they_are_shared() -> None:
    configure(level="info", style="json", secrets=["canary-key"])
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as events,
    ):
        detach = attach(events.read)
        log.info("hearing.transcribed", **{"pii.text": "canary words"}, fault="canary-key is wrong")
        detach()
        (told,) = await events.last(1, Filter(event="hearing"))
        raw = str(await server.do("XRANGE", store.key("events"), "-", "+"))

    assert told["pii.text"] == MASK
    assert "canary" not in raw


@needs_redis
async def test_the_stream_says_nothing_about_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_events, "WRITE_S", 0.01)
    configure(level="debug", style="json")
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as events,
    ):
        detach = attach(events.read)
        log.info("x.once")
        for _ in range(20):
            await events.last(10, ALL)
            await asyncio.sleep(0.01)
        told = await events.last(10, ALL)
        server.kill()
        await until(lambda: not store.available)
        await asyncio.sleep(0.2)
        waiting = [json.loads(each)["event"] for each in events._waiting]
        detach()

    assert [each["event"] for each in told] == ["x.once"]
    assert waiting == ["store.away"]  # once, not at every attempt


@needs_redis
async def test_the_stream_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_events, "KEPT", 100)
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        SharedEvents(store, "a") as events,
    ):
        for number in range(1000):
            events.read(event(f"x.{number}"))
        await written(events)
        length = await store.ask("XLEN", store.key("events"))

    assert 100 <= length <= 300
    assert events.dropped == 0


async def test_without_the_store_the_oldest_are_dropped_and_counted_and_readers_are_told() -> None:
    async with Store("redis://127.0.0.1:1") as store, SharedEvents(store, "a") as events:
        for number in range(MOST_WAITING + 7):
            events.read(event(f"x.{number}"))

        assert events.dropped == 7
        with pytest.raises(StoreAway):
            await events.last(1, ALL)
        with pytest.raises(StoreAway):
            await events.after("0-0", ALL)
