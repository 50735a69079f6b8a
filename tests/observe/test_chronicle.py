"""What happened, told by one replica for all: over a real store that goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from app import clock
from app.capacity.store import Store
from app.log import Event
from app.observe import chronicle as module
from app.observe.chronicle import Chronicle, Numbered
from app.observe.fleet import Reach
from app.observe.ring import Filter, Ring
from app.observe.shared_events import SharedEvents
from tests.standins.redis import Proxy, RedisServer, needs_redis, until

ALL = Filter()
LONG = 30.0


def saying(name: str, **fields: Any) -> Event:
    return {"event": name, "level": "info", "timestamp": clock.wall().isoformat(), **fields}


@dataclass
class Teller:
    """One replica's events, and its way to the store."""

    name: str
    store: Store
    shared: SharedEvents
    ring: Ring = field(default_factory=Ring)

    @property
    def chronicle(self) -> Chronicle:
        return Chronicle(self.name, self.ring, self.shared)

    def say(self, name: str, **fields: Any) -> None:
        event = saying(name, **fields)
        self.ring.read(event)
        self.shared.read(event)


@asynccontextmanager
async def teller(url: str, name: str, within_s: float = LONG) -> AsyncIterator[Teller]:
    async with Store(url, within_s=within_s) as store, SharedEvents(store, name) as shared:
        yield Teller(name, store, shared)


class Reading:
    """A live reader: all it was told so far."""

    def __init__(self, told: AsyncIterator[Numbered | None]) -> None:
        self.told: list[Numbered] = []
        self._source = told

    @property
    def names(self) -> list[str]:
        return [str(event["event"]) for _, event in self.told]

    async def run(self) -> None:
        async for each in self._source:
            if each is not None:
                self.told.append(each)


@asynccontextmanager
async def reading(source: AsyncIterator[Numbered | None]) -> AsyncIterator[Reading]:
    reader = Reading(source)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reader.run())
        yield reader
        task.cancel()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.02)


async def test_without_a_store_the_ring_tells_with_the_replicas_name() -> None:
    ring = Ring()
    ring.read(saying("x.one", replica="another, as it says"))

    told, reach = await Chronicle("a", ring, None).last(10, ALL)

    assert ([(each["event"], each["replica"]) for each in told], reach) == ([("x.one", "a")], Reach.ALONE)


async def test_without_a_store_a_live_reader_has_the_rings_numbers() -> None:
    ring = Ring()
    for number in range(3):
        ring.read(saying(f"x.{number}"))
    async with reading(Chronicle("a", ring, None).follow(ALL, "2")) as reader:
        await until(lambda: len(reader.told) == 1)
        ring.read(saying("x.new"))
        await until(lambda: len(reader.told) == 2)

    assert [(number, event["event"]) for number, event in reader.told] == [("3", "x.2"), ("4", "x.new")]


@pytest.mark.parametrize("last_id", ["", "x", "1-2", "9" * 5000, "²"])
async def test_a_number_that_is_none_begins_now(last_id: str) -> None:
    ring = Ring()
    ring.read(saying("x.old"))
    async with reading(Chronicle("a", ring, None).follow(ALL, last_id)) as reader:
        await until(lambda: bool(ring._followers))
        ring.read(saying("x.new"))
        await until(lambda: bool(reader.told))

    assert reader.names == ["x.new"]


async def test_a_quiet_live_reader_is_told_that_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_ALIVE_S", 0.01)
    async with Store("redis://127.0.0.1:1") as store, SharedEvents(store, "a") as shared:
        for chronicle in (Chronicle("a", Ring(), None), Chronicle("a", Ring(), shared)):
            async with asyncio.timeout(LONG):
                assert await anext(aiter(chronicle.follow(ALL, ""))) is None


async def test_with_the_store_away_a_page_tells_of_this_replica_and_says_so() -> None:
    async with teller("redis://127.0.0.1:1", "a") as one:
        one.say("x.here")
        told, reach = await one.chronicle.last(10, ALL)

    assert ([each["event"] for each in told], reach) == (["x.here"], Reach.AWAY)


@needs_redis
async def test_with_a_store_any_replica_tells_of_all() -> None:
    async with RedisServer() as server, teller(server.url, "a") as one, teller(server.url, "b") as other:
        other.say("x.there", call_sid="CA1")
        await until(lambda: not other.shared._waiting)
        one.say("x.here", call_sid="CA1")
        one.say("x.another", call_sid="CA2")
        told, reach = await one.chronicle.last(10, Filter(call_sid="CA1"))

    assert reach is Reach.FLEET
    assert [(each["event"], each["replica"]) for each in told] == [("x.there", "b"), ("x.here", "a")]


@needs_redis
async def test_a_live_reader_goes_on_at_another_replica_where_it_was() -> None:
    async with RedisServer() as server, teller(server.url, "a") as one, teller(server.url, "b") as other:
        async with reading(one.chronicle.follow(ALL, "0-0")) as reader:
            one.say("x.1")
            await until(lambda: reader.names == ["x.1"])
        other.say("x.2")
        await until(lambda: not other.shared._waiting)
        async with reading(other.chronicle.follow(ALL, reader.told[-1][0])) as again:
            await until(lambda: bool(again.told))
            one.say("x.3")
            await until(lambda: len(again.told) == 2)

    assert [(event["event"], event["replica"]) for _, event in again.told] == [("x.2", "b"), ("x.3", "a")]


@needs_redis
async def test_a_live_reader_outlives_an_absence_with_no_event_lost_or_told_twice() -> None:
    async with (
        RedisServer() as server,
        Proxy(server.port) as proxy,
        teller(proxy.url, "a", 0.5) as one,
        teller(server.url, "b") as other,
        reading(one.chronicle.follow(ALL, "0-0")) as reader,
    ):
        one.say("x.before")
        await until(lambda: reader.names == ["x.before"])
        proxy.part()
        await until(lambda: not one.store.available)
        one.say("x.here")
        other.say("x.there")
        await until(lambda: reader.names == ["x.before", "x.here"])
        proxy.heal()
        await until(lambda: "x.there" in reader.names)
        one.say("x.after")
        await until(lambda: "x.after" in reader.names)

    numbers = {event["event"]: number for number, event in reader.told}
    assert reader.names == ["x.before", "x.here", "x.there", "x.after"]
    assert numbers["x.here"] == "" and "-" in numbers["x.there"]


@needs_redis
async def test_a_reader_that_comes_back_in_an_absence_is_told_what_happened_here_since() -> None:
    async with RedisServer() as server, teller(server.url, "a", 0.5) as one:
        one.say("x.before", timestamp="2020-01-01T00:00:00Z")
        await until(lambda: not one.shared._waiting)
        place, _ = await one.shared.after("", ALL)
        server.kill()
        await until(lambda: not one.store.available)
        one.say("x.here")
        async with reading(one.chronicle.follow(ALL, place)) as reader:
            await until(lambda: bool(reader.told))

    assert reader.names == ["x.here"]


@pytest.mark.parametrize("last_id", ["9" * 18 + "-0", "0-0"])
async def test_a_place_that_no_store_ever_gave_does_no_harm(last_id: str) -> None:
    async with (
        teller("redis://127.0.0.1:1", "a") as one,
        reading(one.chronicle.follow(ALL, last_id)) as reader,
    ):
        await asyncio.sleep(0.1)  # it has begun
        one.say("x.new")
        await until(lambda: reader.names == ["x.new"])
