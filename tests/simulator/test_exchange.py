"""What callers share."""

import asyncio

import pytest

from app.simulator.exchange import Exchange


class Member:
    """Says that it was ticked."""

    def __init__(self) -> None:
        self.ticked = asyncio.Event()

    def tick(self) -> None:
        self.ticked.set()


async def test_the_clock_runs_while_the_exchange_is_open_and_no_task_remains() -> None:
    before, member = asyncio.all_tasks(), Member()

    async with Exchange() as exchange:
        exchange.ticker.add(member)
        await member.ticked.wait()

    assert asyncio.all_tasks() == before


async def test_an_exchange_that_was_not_entered_has_no_connections() -> None:
    with pytest.raises(RuntimeError, match="not entered"):
        _ = Exchange().transport


async def test_what_goes_wrong_inside_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError):
        async with Exchange():
            raise LookupError


class Broken:
    """A bug of ours."""

    def tick(self) -> None:
        raise ZeroDivisionError


async def test_a_broken_member_is_seen_and_does_not_leave_callers_hanging() -> None:
    with pytest.raises(ExceptionGroup) as met:
        async with Exchange() as exchange:
            exchange.ticker.add(Broken())
            await asyncio.Event().wait()

    assert met.group_contains(ZeroDivisionError)
