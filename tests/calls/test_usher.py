"""Callers are fetched from the line."""

import asyncio

import pytest

from app import clock
from app.calls.admission import Admission
from app.calls.reception import FIRST_ANSWER_S, Caller, LetIn, Reception
from app.calls.usher import LOOK_S, Fetch, usher
from app.calls.waiting import LocalLine
from tests.virtual_time import in_virtual_time


def full_house() -> Reception:
    """One slot, taken by `a`; `b` and `c` in line."""
    reception = Reception(Admission(1), line=LocalLine(5))
    for name in "abc":
        if isinstance(reception.receive(Caller(name), clock.now()), LetIn):
            reception.admission.reserve(name, clock.now())
    return reception


async def run_for(seconds: float, reception: Reception, fetch: Fetch | None) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await usher(reception, fetch)


@in_virtual_time
async def test_the_first_in_line_is_fetched_within_one_look_of_a_free_slot() -> None:
    reception, fetched = full_house(), list[tuple[str, float]]()
    began = clock.now()
    asyncio.get_running_loop().call_at(began + 0.5, reception.admission.withdraw, "a")

    async def fetch(call_sid: str) -> bool:
        fetched.append((call_sid, clock.now() - began))
        return True

    await run_for(1.5, reception, fetch)

    assert [name for name, _ in fetched] == ["b"]
    assert 0.5 <= fetched[0][1] <= 0.5 + LOOK_S


@in_virtual_time
async def test_an_answer_that_takes_long_keeps_nobody_else_from_being_fetched() -> None:
    reception, fetched = Reception(Admission(2), line=LocalLine(5)), list[str]()
    for name in "abcd":
        if isinstance(reception.receive(Caller(name), clock.now()), LetIn):
            reception.admission.reserve(name, clock.now())
    reception.admission.withdraw("a")
    asyncio.get_running_loop().call_later(0.5, reception.admission.withdraw, "b")

    async def fetch(call_sid: str) -> bool:
        fetched.append(call_sid)
        await asyncio.sleep(60)
        return False

    await run_for(1.0, reception, fetch)

    assert fetched == ["c", "d"]


@in_virtual_time
async def test_who_no_longer_asks_is_noticed_without_anybody_asking() -> None:
    reception = full_house()

    await run_for(FIRST_ANSWER_S + 1, reception, None)

    assert reception.line is not None and len(reception.line) == 0
