"""Callers are fetched from the line."""

import asyncio

import pytest

from app import clock
from app.calls.admission import Admission
from app.calls.desk import LocalDesk
from app.calls.reception import FIRST_ANSWER_S, Caller, Reception
from app.calls.usher import LOOK_S, Fetch, usher
from app.calls.waiting import LocalLine
from tests.virtual_time import in_virtual_time


async def full_house(slots: int = 1) -> LocalDesk:
    """All slots are taken, by `a` and so on; the others are in line."""
    admission = Admission(slots)
    desk = LocalDesk(Reception(admission, line=LocalLine(5)), admission)
    for name in "abcd":
        await desk.receive(Caller(name))
    return desk


async def run_for(seconds: float, desk: LocalDesk, fetch: Fetch | None) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await usher(desk, fetch)


@in_virtual_time
async def test_the_first_in_line_is_fetched_within_one_look_of_a_free_slot() -> None:
    desk, fetched = await full_house(), list[tuple[str, float]]()
    began = clock.now()
    asyncio.get_running_loop().call_at(began + 0.5, desk.admission.withdraw, "a")

    async def fetch(call_sid: str) -> bool:
        fetched.append((call_sid, clock.now() - began))
        return True

    await run_for(1.5, desk, fetch)

    assert [name for name, _ in fetched] == ["b"]
    assert 0.5 <= fetched[0][1] <= 0.5 + LOOK_S


@in_virtual_time
async def test_an_answer_that_takes_long_keeps_nobody_else_from_being_fetched() -> None:
    desk, fetched = await full_house(2), list[str]()
    desk.admission.withdraw("a")
    asyncio.get_running_loop().call_later(0.5, desk.admission.withdraw, "b")

    async def fetch(call_sid: str) -> bool:
        fetched.append(call_sid)
        await asyncio.sleep(60)
        return False

    await run_for(1.0, desk, fetch)

    assert fetched == ["c", "d"]


@in_virtual_time
async def test_who_no_longer_asks_is_noticed_without_anybody_asking() -> None:
    desk = await full_house()

    await run_for(FIRST_ANSWER_S + 1, desk, None)

    assert desk.reception.line is not None and len(desk.reception.line) == 0
