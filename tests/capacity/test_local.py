"""Permits within one process, under virtual time."""

import asyncio

import pytest

from app.capacity.effective import RECOVERY_S
from app.capacity.local import LocalPermits
from app.capacity.port import Rank
from app.errors import AtCapacity
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_who_waits_is_told_for_how_long() -> None:
    permits = LocalPermits("v", 1)
    waited: list[float] = []

    async def use(seconds: float) -> None:
        async with permits.permit(Rank.TURN, wait_s=60) as held:
            waited.append(held.waited_s)
            await asyncio.sleep(seconds)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(use(2.0))

    assert waited == pytest.approx([0.0, 2.0, 4.0])
    assert (permits.status().granted, permits.status().in_use) == (3, 0)


@in_virtual_time
async def test_a_limit_that_recovers_lets_in_who_waits_without_any_other_event() -> None:
    permits = LocalPermits("v", 2)
    async with permits.permit(Rank.TURN, wait_s=1), permits.permit(Rank.TURN, wait_s=1):
        permits.vendor_refused()
    async with permits.permit(Rank.TURN, wait_s=1), permits.permit(Rank.TURN, wait_s=2 * RECOVERY_S) as held:
        assert held.waited_s == pytest.approx(RECOVERY_S)


@in_virtual_time
async def test_giving_up_and_a_full_line_are_counted() -> None:
    permits = LocalPermits("v", 1, most_waiting=1)
    async with permits.permit(Rank.TURN, wait_s=1):
        with pytest.raises(AtCapacity, match=r"no permit within 0\.5 s"):
            async with permits.permit(Rank.TURN, wait_s=0.5):
                pass
        waiting = asyncio.ensure_future(permits.permit(Rank.TURN, wait_s=9).__aenter__())
        await asyncio.sleep(0)
        with pytest.raises(AtCapacity, match="wait already"):
            async with permits.permit(Rank.TURN, wait_s=9):
                pass
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert permits.status().gave_up == 2
    assert permits.status().waiting == 0
