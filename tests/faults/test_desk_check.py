"""A fleet's slots and line under many callers at once: three desks, one store that is emptied in between."""

import asyncio
import random
from contextlib import suppress

from redis.exceptions import RedisError

from app.calls.reception import Caller, LetIn, Wait
from app.calls.shared_desk import SharedDesk
from app.errors import AtCapacity
from tests.standins.desks import LONG, fleet_desk
from tests.standins.redis import RedisServer, needs_redis, until

ROOM = 3  # one of each replica
CALLERS = 24
LOOK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
"""


class House:
    """The callers of one run, and what became of them."""

    def __init__(self, desks: list[SharedDesk], chance: random.Random) -> None:
        self.talking: set[str] = set()
        self.most_at_once = 0
        self.served: list[str] = []
        self._desks = desks
        self._chance = chance

    async def call(self, call_sid: str) -> None:
        """Ring, ask until let in, talk on any replica, and hang up."""
        async with asyncio.timeout(2 * LONG):
            while not isinstance(verdict := await self._any().receive(Caller(call_sid, call_sid)), LetIn):
                if isinstance(verdict, Wait):
                    await self._any().expect(call_sid, LONG)
                await asyncio.sleep(self._chance.random() * 0.1)
        desk = self._any()
        with suppress(AtCapacity):
            await desk.adopt(call_sid)
            self.talking.add(call_sid)
            self.most_at_once = max(self.most_at_once, len(self.talking))
            await asyncio.sleep(self._chance.random() * 0.2)
            self.talking.discard(call_sid)
            desk.release(call_sid)
            self.served.append(call_sid)

    def _any(self) -> SharedDesk:
        return self._chance.choice(self._desks)


async def run(server: RedisServer, desks: list[SharedDesk], *, seed: int, emptied: bool) -> tuple[House, int]:
    """One run; with the most slots that the store ever had in use."""
    house, most = House(desks, random.Random(seed)), 0
    await asyncio.gather(*(desk._look() for desk in desks))

    async def watch() -> None:
        nonlocal most
        key = desks[0]._ledger.store.key("desk", "slots")
        while True:
            with suppress(RedisError, OSError):
                most = max(most, len(await server.do("EVAL", LOOK, 1, key)))
            await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        calls = [group.create_task(house.call(f"CA{number}")) for number in range(CALLERS)]
        if emptied:
            await asyncio.sleep(0.3)
            await server.restart()
        await asyncio.wait(calls)
        watching.cancel()
    return house, most


@needs_redis
async def test_never_more_calls_than_the_fleet_takes_and_everybody_is_served_once() -> None:
    async with (
        RedisServer() as server,
        fleet_desk(server, "a", 1, most_waiting=CALLERS) as a,
        fleet_desk(server, "b", 1, most_waiting=CALLERS) as b,
        fleet_desk(server, "c", 1, most_waiting=CALLERS) as c,
    ):
        for desk in (a, b, c):
            await desk._look()
        house, most = await run(server, [a, b, c], seed=1, emptied=False)

        assert sorted(house.served) == sorted(f"CA{number}" for number in range(CALLERS))
        assert (most, house.most_at_once <= ROOM) == (ROOM, True)
        for desk in (a, b, c):
            await desk._tell_ended()
        await a._look()
        assert (a.reception.slots.calls(), len(a._view.line)) == (set(), 0)


@needs_redis
async def test_a_store_that_is_emptied_under_them_loses_nobody() -> None:
    async with (
        RedisServer() as server,
        fleet_desk(server, "a", 1, most_waiting=CALLERS) as a,
        fleet_desk(server, "b", 1, most_waiting=CALLERS) as b,
        fleet_desk(server, "c", 1, most_waiting=CALLERS) as c,
    ):
        desks = [a, b, c]
        house, _ = await run(server, desks, seed=2, emptied=True)
        await until(lambda: all(desk._ledger.store.available for desk in desks))

        assert sorted(house.served) == sorted(f"CA{number}" for number in range(CALLERS))
