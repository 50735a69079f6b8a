"""The store fails: 58 and 62 to 66 of the catalogue of faults, against real servers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app import clock
from app.calls.token_store import SharedTokens
from app.calls.tokens import LocalTokens
from app.capacity.port import Rank
from app.capacity.redis import RedisPermits
from app.capacity.store import Store
from app.errors import AtCapacity
from app.observe.fleet import Fleet
from tests.standins.redis import Proxy, RedisServer, needs_redis, until

LONG = 30.0
pytestmark = needs_redis


class Replica:
    """The part of one server that shares: its store, its permits, and those whom it serves."""

    def __init__(self, store: Store, permits: RedisPermits) -> None:
        self.store = store
        self.permits = permits
        self.talking = 0
        self.refused = 0
        self._enough = asyncio.Event()

    def release(self) -> None:
        """Whoever talks has had enough."""
        self._enough.set()
        self._enough = asyncio.Event()

    async def talk(self, wait_s: float = LONG) -> None:
        try:
            async with self.permits.permit(Rank.TURN, wait_s=wait_s):
                self.talking += 1
                await self._enough.wait()
                self.talking -= 1
        except AtCapacity:
            self.refused += 1

    def held_in_the_store(self) -> str:
        return self.store.key("permits", "v", "held")


@asynccontextmanager
async def replica(
    url: str, limit: int, *, name: str = "one", replicas: Callable[[], int] = lambda: 1, within_s: float = 0.5
) -> AsyncIterator[Replica]:
    async with (
        Store(url, within_s=within_s) as store,
        RedisPermits(store, "v", limit, replica=name, replicas=replicas) as permits,
    ):
        yield Replica(store, permits)


async def away(*met: Replica) -> None:
    await until(lambda: not any(each.store.available for each in met))


async def back(*met: Replica) -> None:
    await until(lambda: all(each.store.available for each in met))


async def count_held(server: RedisServer, met: Replica) -> int:
    count: int = await server.do("ZCARD", met.held_in_the_store())
    return count


async def test_62_without_a_server_from_the_start_a_replica_serves_its_share() -> None:
    async with replica("redis://127.0.0.1:1", 7, replicas=lambda: 2) as one, asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(one.talk(wait_s=0.3))
        await until(lambda: one.talking == 3)
        await until(lambda: one.refused == 2)
        one.release()


async def test_62_a_share_is_never_nothing() -> None:
    async with replica("redis://127.0.0.1:1", 2, replicas=lambda: 9) as one, asyncio.TaskGroup() as group:
        group.create_task(one.talk())
        await until(lambda: one.talking == 1)
        one.release()


async def test_62_a_server_that_is_gone_costs_no_live_call_and_is_exact_again_on_its_return() -> None:
    async with RedisServer() as server, AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(Store(server.url, within_s=0.5)) for _ in range(2)]
        fleet = await stack.enter_async_context(Fleet(stores[0], "one"))
        await stack.enter_async_context(Fleet(stores[1], "other"))
        await until(lambda: fleet.known == 2)
        permits = [
            await stack.enter_async_context(
                RedisPermits(store, "v", 4, replica=name, replicas=lambda: fleet.known)
            )
            for store, name in zip(stores, ("one", "other"), strict=True)
        ]
        one, other = (Replica(*pair) for pair in zip(stores, permits, strict=True))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for _ in range(3):
            group.create_task(one.talk())
        await until(lambda: one.talking == 3)

        server.kill()
        await away(one, other)
        for _ in range(4):
            group.create_task(other.talk())
        await until(lambda: other.talking == 2)  # the half of four
        assert one.talking == 3

        await server.start()
        await back(one, other)
        await until(lambda: (one.permits.status().in_use, other.permits.status().in_use) == (5, 5))
        one.release()
        await until(lambda: other.talking == 4)
        assert await count_held(server, other) == 4
        other.release()


async def test_63_after_a_fail_over_every_holder_says_what_it_holds_and_nobody_is_over_the_limit() -> None:
    async with RedisServer() as primary, RedisServer() as standby, Proxy(primary.port) as proxy:
        async with replica(proxy.url, 3) as one, asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(one.talk())
            await until(lambda: one.talking == 2)
            await standby.follow(primary)
            await standby.do("REPLICAOF", "127.0.0.1", 1)  # the last writes are lost on the way
            for _ in range(3):
                group.create_task(one.talk())
            await until(lambda: one.talking == 3)

            primary.kill()
            await standby.promote()
            proxy.point_at(standby.port)
            await back(one)
            for _ in range(40):
                held = await count_held(standby, one)
                assert held <= 3
                await asyncio.sleep(0.05)

            assert (held, one.talking) == (3, 3)
            one.release()
            await until(lambda: one.talking == 2)
            one.release()


async def test_63_a_server_that_comes_back_empty_learns_what_is_held_before_it_serves() -> None:
    async with (
        RedisServer() as server,
        replica(server.url, 2, name="one") as one,
        replica(server.url, 2, name="other") as other,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(2):
            group.create_task(one.talk())
        await until(lambda: one.talking == 2)
        group.create_task(other.talk())
        await until(lambda: other.permits.status().waiting == 1)
        await asyncio.sleep(0.5)  # it stands in the store's line
        await server.restart()
        await back(one, other)
        for _ in range(30):
            assert await count_held(server, one) <= 2
            await asyncio.sleep(0.1)
        assert (one.talking, other.talking) == (2, 0)

        one.release()
        await until(lambda: other.talking == 1)
        other.release()


@pytest.mark.parametrize("how", ["hold", "part"])
async def test_64_a_replica_that_is_parted_keeps_its_calls_and_its_leases_end_for_the_others(
    how: str,
) -> None:
    async with RedisServer() as server, Proxy(server.port) as proxy:
        async with (
            replica(proxy.url, 2, name="parted", replicas=lambda: 2) as parted,
            replica(server.url, 2, name="whole") as whole,
            asyncio.TaskGroup() as group,
        ):
            await back(parted, whole)
            for _ in range(2):
                group.create_task(parted.talk())
            await until(lambda: parted.talking == 2)
            getattr(proxy, how)()
            await away(parted)

            group.create_task(whole.talk())
            await until(lambda: whole.talking == 1)  # the parted one's leases have run out
            assert parted.talking == 2

            proxy.heal()
            await back(parted)
            await until(lambda: parted.permits.status().in_use == whole.permits.status().in_use == 3)
            parted.release()
            await until(lambda: parted.permits.status().in_use == 1)
            whole.release()


async def test_65_a_paused_server_makes_nobody_wait_and_two_hundred_waiters_use_few_connections() -> None:
    async with RedisServer() as server:
        async with replica(server.url, 200, within_s=0.15) as one, asyncio.TaskGroup() as group:
            await back(one)
            await server.pause(3000)
            waiting = [group.create_task(one.talk()) for _ in range(200)]
            await until(lambda: one.talking == 200)  # of its own share, long before the pause is over
            clients = (await server.do("INFO", "clients"))["connected_clients"]
            assert not any(task.done() for task in waiting)

            await back(one)
            await until(lambda: one.permits.status().in_use == 200)
            one.release()

        assert int(clients) < 50


async def test_65_two_hundred_waiters_of_one_permit_are_all_served() -> None:
    async with RedisServer() as server, replica(server.url, 1, within_s=LONG) as one:

        async def use() -> None:
            async with one.permits.permit(Rank.TURN, wait_s=LONG):
                pass

        async with asyncio.TaskGroup() as group:
            for _ in range(200):
                group.create_task(use())

        assert one.permits.status().granted == 200


async def test_66_a_clock_that_jumps_an_hour_ends_no_lease_and_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with RedisServer() as server:
        async with replica(server.url, 1, within_s=LONG) as one, asyncio.TaskGroup() as group:
            group.create_task(one.talk())
            await until(lambda: one.talking == 1)
            tokens, alone = SharedTokens(one.store, secret=b"shared"), LocalTokens()
            issued = [await tokens.issue("CA1"), await alone.issue("CA1")]

            for hours in (1, -1):
                skewed = datetime.now(UTC) + timedelta(hours=hours)
                monkeypatch.setattr(clock, "wall", lambda skewed=skewed: skewed)
                await asyncio.sleep(1.2)  # a renewal
                assert await count_held(server, one) == 1
            await tokens.consume(issued[0], "CA1")
            await alone.consume(issued[1], "CA1")
            assert one.permits.counts.revived == 0
            one.release()


async def test_58_whoever_was_stopped_learns_that_the_leases_are_gone_and_counts_the_overlap() -> None:
    """The event loop stands still for longer than a lease; processes that are stopped are in the check."""
    async with RedisServer() as server:
        async with replica(server.url, 1, within_s=LONG) as stopped, asyncio.TaskGroup() as group:
            group.create_task(stopped.talk())
            await until(lambda: stopped.talking == 1)
            await server.do("ZREM", stopped.held_in_the_store(), *await ids(server, stopped))
            await server.do("ZADD", stopped.held_in_the_store(), 2**52, "elsewhere|1|0")

            await until(lambda: stopped.permits.counts.above == 1)
            await server.do("ZREM", stopped.held_in_the_store(), "elsewhere|1|0")
            stopped.release()


async def ids(server: RedisServer, met: Replica) -> list[str]:
    return [each.decode() for each in await server.do("ZRANGE", met.held_in_the_store(), 0, -1)]
