"""The desk of one process; what it shares with a fleet's is in tests/contract/test_desk.py."""

import asyncio

import pytest

from app.calls.admission import Admission
from app.calls.desk import LocalDesk
from app.calls.reception import Caller, No, Reception, TurnAway
from app.errors import AtCapacity
from tests.virtual_time import in_virtual_time


def desk_without_a_line(slots: int) -> LocalDesk:
    admission = Admission(slots, reservation_s=15.0)
    return LocalDesk(Reception(admission), admission)


@in_virtual_time
async def test_a_webhook_repeated_after_its_reservation_lapsed_gets_no_slot_that_is_not_there() -> None:
    desk = desk_without_a_line(1)
    await desk.receive(Caller("a"))
    await asyncio.sleep(20.0)
    await desk.receive(Caller("b"))

    assert await desk.receive(Caller("a")) == TurnAway(No.HOUSE_FULL, "1 of 1 calls")


async def test_a_socket_whose_reservation_has_lapsed_comes_into_a_full_house_no_more() -> None:
    desk = desk_without_a_line(1)
    await desk.take("a")
    await desk.adopt("a")

    assert not desk.has_room_for("b")
    assert desk.is_full_of_live_calls()
    with pytest.raises(AtCapacity):
        await desk.adopt("b")


async def test_a_process_that_leaves_keeps_no_slot_for_a_call_that_goes_on_elsewhere() -> None:
    admission = Admission(1)
    desk = LocalDesk(Reception(admission), admission, takes_calls=lambda: False)
    await desk.adopt("a")

    desk.release("a", goes_on=True)

    assert admission.taken == 0


async def test_only_live_calls_make_the_house_full_for_a_socket() -> None:
    desk = desk_without_a_line(1)
    await desk.take("a")

    assert not desk.is_full_of_live_calls()
    assert desk.has_room_for("a") and not desk.has_room_for("b")
