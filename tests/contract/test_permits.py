"""What permits owe those who share them, whatever keeps the count."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from app.capacity.effective import UNKNOWN
from app.capacity.ledger import UNPLACED
from app.capacity.local import LocalPermits
from app.capacity.port import Permits, Rank
from app.capacity.redis import RedisPermits
from app.capacity.store import Store
from app.errors import AtCapacity
from tests.standins.redis import RedisServer, needs_redis, until

Open = Callable[[int | None], AbstractAsyncContextManager[Permits]]
LONG = 30.0


@asynccontextmanager
async def local(limit: int | None) -> AsyncIterator[Permits]:
    yield LocalPermits("v", limit)


@asynccontextmanager
async def shared(limit: int | None) -> AsyncIterator[Permits]:
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store:
        await store.ask(
            "HSET", store.key("server"), "run", store.run_id
        )  # no new server: nothing to wait for
        async with RedisPermits(store, "v", limit) as permits:
            yield permits


every = pytest.mark.parametrize(
    "opened",
    [pytest.param(local, id="local"), pytest.param(shared, id="shared", marks=needs_redis)],
)


@every
async def test_never_more_are_out_than_the_limit_and_everybody_gets_one(opened: Open) -> None:
    out = most = served = 0
    async with opened(3) as permits:

        async def use() -> None:
            nonlocal out, most, served
            async with permits.permit(random.choice(list(Rank)), wait_s=LONG):
                out += 1
                most = max(most, out)
                await asyncio.sleep(random.random() / 200)
                out -= 1
                served += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(use())
        status = permits.status()

    assert (most, served) == (3, 60)
    assert (status.in_use, status.waiting, status.granted) == (0, 0, 60)


@every
async def test_who_came_first_goes_first(opened: Open) -> None:
    order: list[int] = []
    async with opened(1) as permits:

        async def use(number: int) -> None:
            async with permits.permit(Rank.TURN, wait_s=LONG):
                order.append(number)
                await asyncio.sleep(0.001)

        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(use(number))
                await stand_in_line(permits)

    assert order == list(range(10))


async def stand_in_line(permits: Permits) -> None:
    """Whoever has asked has come, also where asking is sending: two who ask at once may come in any order."""
    await asyncio.sleep(0.005)
    if isinstance(permits, RedisPermits):
        waiting = permits._leases.waiting
        await until(lambda: UNPLACED not in {lease.place for lease in waiting.values()})


@every
async def test_a_turn_overtakes_what_nobody_waits_for(opened: Open) -> None:
    order: list[Rank] = []
    async with opened(1) as permits, asyncio.TaskGroup() as group:

        async def use(rank: Rank) -> None:
            async with permits.permit(rank, wait_s=LONG):
                order.append(rank)

        async with permits.permit(Rank.TURN, wait_s=LONG):
            for rank in (Rank.BATCH, Rank.GREETING, Rank.TURN):
                group.create_task(use(rank))
                await stand_in_line(permits)

    assert order == [Rank.TURN, Rank.GREETING, Rank.BATCH]


@every
async def test_the_wait_is_bounded_and_leaves_no_trace(opened: Open) -> None:
    async with opened(1) as permits:
        async with permits.permit(Rank.TURN, wait_s=LONG):
            with pytest.raises(AtCapacity):
                async with permits.permit(Rank.TURN, wait_s=0.02):
                    pass
            assert permits.status().waiting == 0
        async with permits.permit(Rank.TURN, wait_s=LONG):
            assert permits.status().in_use == 1


@every
async def test_a_caller_who_hangs_up_frees_the_place_or_the_permit(opened: Open) -> None:
    async with opened(1) as permits:

        async def use() -> None:
            async with permits.permit(Rank.TURN, wait_s=LONG):
                await asyncio.sleep(LONG)

        tasks = [asyncio.ensure_future(use()) for _ in range(5)]
        await asyncio.sleep(0.05)
        for task in random.sample(tasks, len(tasks)):
            task.cancel()
            await asyncio.wait([task])
        async with permits.permit(Rank.TURN, wait_s=LONG):
            status = permits.status()

    assert (status.in_use, status.waiting) == (1, 0)


@every
async def test_a_refusal_lowers_the_limit_and_takes_nothing_from_who_has_it(opened: Open) -> None:
    async with (
        opened(4) as permits,
        permits.permit(Rank.TURN, wait_s=LONG),
        permits.permit(Rank.TURN, wait_s=LONG),
    ):
        permits.vendor_refused()
        status = permits.status()
        with pytest.raises(AtCapacity):
            async with permits.permit(Rank.TURN, wait_s=0.02):
                pass

    assert (status.limit, status.in_use, status.refused_by_vendor) == (1, 2, 1)


@every
async def test_where_the_operator_leaves_it_to_the_vendor_five_are_given_until_it_has_said(
    opened: Open,
) -> None:
    async with opened(None) as permits:
        async with permits.permit(Rank.TURN, wait_s=LONG):
            before = permits.status()
        permits.vendor_allows(20)
        async with permits.permit(Rank.TURN, wait_s=LONG):
            told = permits.status()

    assert (before.limit, before.configured) == (UNKNOWN, None)
    assert told.limit == 19
