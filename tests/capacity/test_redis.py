"""Permits of two replicas on one server; what any owe is in `tests/contract`, faults in `tests/faults`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from structlog.testing import capture_logs

from app.capacity import redis
from app.capacity.bulletin import Bulletin
from app.capacity.port import Rank
from app.capacity.redis import RedisPermits
from app.capacity.store import Store
from app.errors import AtCapacity
from tests.standins.redis import RedisServer, needs_redis, until
from tests.virtual_time import in_virtual_time

LONG = 30.0
pytestmark = needs_redis


@asynccontextmanager
async def replicas(
    limit: int | None, count: int = 2, most_waiting: int = 50
) -> AsyncIterator[list[RedisPermits]]:
    async with RedisServer() as server, AsyncExitStack() as stack:
        made = []
        for number in range(count):
            store = await stack.enter_async_context(Store(server.url, within_s=LONG))
            await store.ask("HSET", store.key("server"), "run", store.run_id)  # not a new server
            permits = RedisPermits(store, "v", limit, replica=f"r{number}", most_waiting=most_waiting)
            made.append(await stack.enter_async_context(permits))
        yield made


async def test_two_replicas_never_use_more_than_the_limit_together() -> None:
    out = most = 0
    async with replicas(3) as both:

        async def use(permits: RedisPermits) -> None:
            nonlocal out, most
            async with permits.permit(Rank.TURN, wait_s=LONG):
                out += 1
                most = max(most, out)
                await asyncio.sleep(0.002)
                out -= 1

        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(use(both[number % 2]))
        granted = [permits.status().granted for permits in both]

    assert most == 3
    assert granted == [20, 20]


@pytest.mark.parametrize("by", ["the word", "the net of polls"])
async def test_a_waiter_is_woken_by_another_replicas_departure(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "the word":
        monkeypatch.setattr(redis, "POLL_S", LONG)
    else:
        monkeypatch.setattr(Bulletin, "add", lambda *_: None)  # which is lost

    async def use(permits: RedisPermits) -> float:
        async with permits.permit(Rank.TURN, wait_s=LONG / 2) as permit:
            return permit.waited_s

    async with (
        replicas(1) as (one, other),
        asyncio.TaskGroup() as group,
        one.permit(Rank.TURN, wait_s=LONG),
    ):
        waiting = group.create_task(use(other))
        await asyncio.sleep(0.7)
        assert not waiting.done()
        assert other.status().waiting == 1

    assert waiting.result() >= 0.7


async def test_whoever_asks_is_one_command_also_when_there_is_news() -> None:
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store:
        await store.ask("HSET", store.key("server"), "run", store.run_id)
        async with RedisPermits(store, "v", 5) as permits:
            async with permits.permit(Rank.TURN, wait_s=LONG):
                pass  # the server knows the script now
            before = await scripts_run(server)
            permits.vendor_allows(4)
            permits.vendor_refused()
            async with permits.permit(Rank.TURN, wait_s=LONG):
                after = await scripts_run(server)

    assert after == before + 1


async def scripts_run(server: RedisServer) -> int:
    told = await server.do("INFO", "commandstats")
    return sum(int(told.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("eval", "evalsha"))


@in_virtual_time
async def test_a_permit_that_comes_in_the_very_moment_of_giving_up_is_used() -> None:
    permits = RedisPermits(Store("redis://unused"), "v", 1)  # never entered: the store is away
    ended: list[str] = []

    async def wait() -> None:
        async with permits.permit(Rank.TURN, wait_s=1.0):
            ended.append("got")

    async with asyncio.TaskGroup() as group, permits.permit(Rank.TURN, wait_s=9):
        group.create_task(wait())
        await asyncio.sleep(1.0)

    assert ended == ["got"]
    assert (permits.status().in_use, permits.status().gave_up) == (0, 0)


@in_virtual_time
async def test_in_an_hour_without_a_store_the_share_follows_the_vendor_as_in_one_process() -> None:
    permits = RedisPermits(Store("redis://unused"), "v", None, replicas=lambda: 2)
    permits.vendor_allows(9)
    async with AsyncExitStack() as calls:
        for _ in range(4):  # of eight, for two replicas
            await calls.enter_async_context(permits.permit(Rank.TURN, wait_s=0))
        permits.vendor_refused()
        assert permits.status().limit == 3
        with pytest.raises(AtCapacity):
            await calls.enter_async_context(permits.permit(Rank.TURN, wait_s=9))
        await asyncio.sleep(3600)
        assert (permits.status().limit, permits.status().in_use) == (8, 4)
    for _ in range(100):
        async with permits.permit(Rank.TURN, wait_s=0):
            pass

    assert permits.status().in_use == 0


async def test_what_another_replica_holds_is_known_within_a_heartbeat() -> None:
    async with replicas(5) as (one, other), one.permit(Rank.TURN, wait_s=LONG):
        await until(lambda: other.status().in_use == 1)

        assert one.status().in_use == 1


async def test_the_vendors_word_is_known_to_all() -> None:
    async with replicas(10) as (one, other):
        one.vendor_allows(5)
        await until(lambda: other.status().limit == 4)
        one.vendor_allows(None)
        await until(lambda: other.status().limit == 10)


async def test_a_full_line_is_refused_at_the_door_of_any_replica() -> None:
    async with replicas(1, most_waiting=1) as (one, other), asyncio.TaskGroup() as group:

        async def use(permits: RedisPermits) -> None:
            async with permits.permit(Rank.TURN, wait_s=LONG):
                await asyncio.sleep(0.5)

        group.create_task(use(one))
        await asyncio.sleep(0.1)
        group.create_task(use(one))
        await asyncio.sleep(0.1)
        with pytest.raises(AtCapacity, match="v: 1 wait already"):
            async with other.permit(Rank.TURN, wait_s=LONG):
                pass


async def test_a_wait_that_a_caller_could_notice_is_told() -> None:
    async with replicas(1, count=1) as (permits,), asyncio.TaskGroup() as group:

        async def use() -> None:
            async with permits.permit(Rank.BATCH, wait_s=LONG):
                pass

        with capture_logs() as logs:
            async with permits.permit(Rank.TURN, wait_s=LONG):
                with pytest.raises(AtCapacity, match=r"v: no permit within 0\.01 s"):
                    async with permits.permit(Rank.TURN, wait_s=0.01):
                        pass
                waiting = group.create_task(use())
                await asyncio.sleep(0.3)
            await waiting

    told = [entry for entry in logs if entry["event"].startswith("capacity.")]
    assert [(entry["event"], entry["provider"], entry["rank"]) for entry in told] == [
        ("capacity.gave_up", "v", "turn"),
        ("capacity.waited", "v", "batch"),
    ]
    assert told[1]["waited_ms"] >= 250
