"""Permits of two replicas on one server; what any owe is in `tests/contract`, faults in `tests/faults`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from structlog.testing import capture_logs

from app.capacity.port import Rank
from app.capacity.redis import RedisPermits, less_margin
from app.capacity.store import Store
from app.errors import AtCapacity
from tests.standins.redis import RedisServer, needs_redis, until

LONG = 30.0
pytestmark = needs_redis


@asynccontextmanager
async def replicas(limit: int, count: int = 2, most_waiting: int = 50) -> AsyncIterator[list[RedisPermits]]:
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


async def test_a_waiter_is_woken_by_another_replicas_departure() -> None:
    async with replicas(1) as (one, other):
        async with asyncio.TaskGroup() as group, one.permit(Rank.TURN, wait_s=LONG):

            async def use() -> float:
                async with other.permit(Rank.TURN, wait_s=LONG) as permit:
                    return permit.waited_s

            waiting = group.create_task(use())
            await asyncio.sleep(0.3)
            assert not waiting.done()
            assert other.status().waiting == 1

    assert waiting.result() >= 0.3


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
        with pytest.raises(AtCapacity, match="the line is full"):
            async with other.permit(Rank.TURN, wait_s=LONG):
                pass


async def test_a_wait_that_a_caller_could_notice_is_told() -> None:
    with capture_logs() as logs:
        async with replicas(1, count=1) as (permits,), permits.permit(Rank.TURN, wait_s=LONG):
            with pytest.raises(AtCapacity):
                async with permits.permit(Rank.TURN, wait_s=0.01):
                    pass

    assert [entry["event"] for entry in logs if entry["event"].startswith("capacity.")] == [
        "capacity.gave_up"
    ]


@pytest.mark.parametrize(("maximum", "kept"), [(1, 1), (2, 1), (5, 4), (20, 19), (30, 28), (100, 95)])
def test_a_margin_is_left_of_what_the_vendor_allows(maximum: int, kept: int) -> None:
    assert less_margin(maximum) == kept
