"""The one reader of clocks."""

import asyncio
import time

from app import clock
from tests.virtual_time import run


def test_now_is_the_loops_own_clock_so_that_a_test_can_make_it_jump() -> None:
    async def an_hour() -> float:
        began = clock.now()
        await asyncio.sleep(3600)
        return clock.now() - began

    assert run(an_hour()) == 3600


def test_the_steady_clock_goes_on_while_the_loop_stands() -> None:
    before = clock.steady()
    time.sleep(0.01)

    assert clock.steady() - before >= 0.01


def test_processor_time_only_grows() -> None:
    before = clock.cpu()

    assert sum(range(100_000)) and clock.cpu() >= before


def test_the_date_is_in_utc() -> None:
    assert clock.wall().utcoffset() is not None and not clock.wall().utcoffset()
