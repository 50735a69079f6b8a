"""The events of a fleet, on a real server."""

import asyncio
from typing import Any

import pytest

from app.capacity.store import Store, StoreAway
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
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store:
        async with SharedEvents(store, "a") as one, SharedEvents(store, "b") as other:
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
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store:
        async with SharedEvents(store, "a") as events:
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
async def test_the_stream_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_events, "KEPT", 100)
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store:
        async with SharedEvents(store, "a") as events:
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
