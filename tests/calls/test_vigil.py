"""How long a stream may be silent, in virtual time."""

import asyncio

import pytest

from app import clock
from app.calls.vigil import GRACE_S, LOOK_S, Patience, Vigil
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_42_thirty_seconds_to_the_first_word_and_fifteen_to_each_other() -> None:
    assert await Vigil(Patience()).over() == pytest.approx(30 + GRACE_S, abs=LOOK_S)

    vigil = Vigil(Patience())
    async with asyncio.TaskGroup() as group:
        over = group.create_task(vigil.over())
        for _ in range(5):
            await asyncio.sleep(14.9)
            vigil.heard()
        last = clock.now()
    assert over.result() == pytest.approx(15 + GRACE_S, abs=LOOK_S)
    assert clock.now() - last == pytest.approx(15 + GRACE_S, abs=LOOK_S)


@in_virtual_time
async def test_the_shorter_patience_counts_as_soon_as_something_was_heard() -> None:
    vigil = Vigil(Patience(at_first_s=1000, later_s=5))
    async with asyncio.TaskGroup() as group:
        over = group.create_task(vigil.over())
        await asyncio.sleep(10)
        vigil.heard()

    assert over.result() <= 5 + LOOK_S + GRACE_S


@in_virtual_time
async def test_what_came_while_we_stood_still_counts() -> None:
    vigil = Vigil(Patience(at_first_s=5, later_s=5))
    async with asyncio.TaskGroup() as group:
        over = group.create_task(vigil.over())
        await asyncio.sleep(5.5)  # as if the loop had stood still, and reads only now
        vigil.heard()
        await asyncio.sleep(4)
        assert not over.done()
        over.cancel()


@in_virtual_time
async def test_no_bound_is_no_bound() -> None:
    for patience in (Patience(0, 0), Patience(at_first_s=5, later_s=0)):
        vigil = Vigil(patience)
        if patience.at_first_s:
            vigil.heard()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1000):
                await vigil.over()
