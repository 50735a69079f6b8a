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
from app.capacity.store import CONNECTIONS, WITHIN_S, Store
from app.errors import AtCapacity
from tests.standins.redis import Proxy, RedisServer, needs_redis, until

LONG = 30.0
# What an operator may grant on a server that others use: our keys, our channels, and these commands.
COMMANDS = (
    "info", "set", "eval", "evalsha", "subscribe", "publish", "time", "type", "del", "hget", "hset", "hdel",
    "zadd", "zrem", "zcard", "zscore", "zrange", "zrangebyscore", "zremrangebyscore",
)  # fmt: skip
NARROW = ("~hotline:*", "&hotline:*", "-@all", *(f"+{name}" for name in COMMANDS))
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
async def settled(*options: str) -> AsyncIterator[RedisServer]:
    """A server on which nobody has to be waited for, to say what they hold."""
    async with RedisServer(*options) as server:
        run_id = (await server.do("INFO", "server"))["run_id"]
        await server.do("HSET", Store(server.url).key("server"), "run", run_id)
        yield server


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
    async with settled() as server, AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(Store(server.url, within_s=0.5)) for _ in range(2)]
        permits = [
            await stack.enter_async_context(RedisPermits(store, "v", 4, replica=name, replicas=lambda: 2))
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
    async with (
        settled() as primary,
        RedisServer() as standby,
        Proxy(primary.port) as proxy,
        replica(proxy.url, 3) as one,
        asyncio.TaskGroup() as group,
    ):
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
        settled() as server,
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


async def test_64_a_replica_that_is_parted_keeps_its_calls_and_its_leases_end_for_the_others() -> None:
    async with asyncio.TaskGroup() as group:
        for how in (Proxy.hold, Proxy.part):
            group.create_task(be_parted(how))


async def be_parted(how: Callable[[Proxy], None]) -> None:
    async with (
        settled() as server,
        Proxy(server.port) as proxy,
        replica(proxy.url, 2, name="parted", replicas=lambda: 2) as parted,
        replica(server.url, 2, name="whole") as whole,
        asyncio.TaskGroup() as group,
    ):
        await back(parted, whole)
        for _ in range(2):
            group.create_task(parted.talk())
        await until(lambda: parted.talking == 2)
        how(proxy)
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


async def test_65_a_server_that_stands_still_makes_nobody_wait_and_two_hundred_use_few_connections() -> None:
    async with (
        settled() as server,
        replica(server.url, 200, within_s=WITHIN_S) as one,
        asyncio.TaskGroup() as group,
    ):
        await back(one)
        server.freeze()
        for _ in range(200):
            group.create_task(one.talk())
        await until(lambda: one.talking == 200)  # of its own share: the server never said a word

        server.thaw()
        await back(one)
        await until(lambda: one.permits.status().in_use == 200)
        assert await count_held(server, one) == 200
        assert int((await server.do("INFO", "clients"))["connected_clients"]) <= CONNECTIONS + 2
        one.release()


async def test_65_a_server_that_is_full_is_as_good_as_none_until_it_has_room() -> None:
    async with (
        settled("--maxmemory-policy", "noeviction") as server,
        replica(server.url, 3, within_s=LONG) as one,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(one.talk())
        await until(lambda: one.talking == 1)
        await server.do("CONFIG", "SET", "maxmemory", 1)
        await away(one)
        for _ in range(2):
            group.create_task(one.talk())
        await until(lambda: one.talking == 3)

        await server.do("CONFIG", "SET", "maxmemory", 0)
        await back(one)
        await until(lambda: one.permits.status().in_use == 3)
        assert await count_held(server, one) == 3
        one.release()


async def test_a_key_of_another_kind_in_the_midst_of_it_costs_no_call_and_mends_itself() -> None:
    async with (
        settled() as server,
        replica(server.url, 2, within_s=LONG) as one,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(one.talk())
        await until(lambda: one.talking == 1)
        await server.do("SET", one.held_in_the_store(), "of another application")
        group.create_task(one.talk())
        await until(lambda: one.talking == 2)

        assert one.store.available
        assert await count_held(server, one) == 2
        one.release()


async def test_a_user_who_may_touch_nothing_but_our_keys_is_enough_and_nothing_else_is_touched() -> None:
    async with settled() as server:
        await server.do("SET", "theirs", "1")
        await server.do("ACL", "SETUSER", "narrow", "on", ">s3cret", *NARROW)
        async with (
            replica(server.url.replace("://", "://narrow:s3cret@"), 1, within_s=LONG) as one,
            asyncio.TaskGroup() as group,
        ):
            assert one.store.available
            group.create_task(one.talk())
            await until(lambda: one.talking == 1)
            group.create_task(one.talk())
            await until(lambda: one.permits.status().waiting == 1)
            one.permits.vendor_allows(9)
            one.release()
            await until(lambda: (one.permits.status().waiting, one.talking) == (0, 1))
            denied = await server.do("ACL", "LOG")
            keys = [each.decode() for each in await server.do("KEYS", "*")]
            one.release()

    assert denied == []
    assert [each for each in keys if not each.startswith("hotline:{1}:")] == ["theirs"]


async def test_65_two_hundred_waiters_of_one_permit_are_all_served() -> None:
    async with settled() as server, replica(server.url, 1, within_s=LONG) as one:

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
    async with (
        settled() as server,
        replica(server.url, 1, within_s=LONG) as one,
        asyncio.TaskGroup() as group,
    ):
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
    async with (
        settled() as server,
        replica(server.url, 1, within_s=LONG) as stopped,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(stopped.talk())
        await until(lambda: stopped.talking == 1)
        await server.do("ZREM", stopped.held_in_the_store(), *await ids(server, stopped))
        await server.do("ZADD", stopped.held_in_the_store(), 2**52, "elsewhere|1|0")

        await until(lambda: stopped.permits.counts.above == 1)
        await server.do("ZREM", stopped.held_in_the_store(), "elsewhere|1|0")
        stopped.release()


async def ids(server: RedisServer, met: Replica) -> list[str]:
    return [each.decode() for each in await server.do("ZRANGE", met.held_in_the_store(), 0, -1)]
