"""What one replica knows of the fleet."""

import pytest

from app import clock
from app.calls.desk_ledger import Standing, View
from app.calls.fleet_view import FleetView, numbers_of
from app.calls.reception import Caller, LetIn, Policy, Wait
from app.calls.shares import Shares
from tests.virtual_time import in_virtual_time


def a_view() -> FleetView:
    return FleetView(lambda room: Policy(Shares(per_number=room)), 5, lambda: "")


def standing(
    *inside: str, line: tuple[tuple[str, int], ...] = (), room: int = 2, **given: object
) -> Standing:
    numbers = dict.fromkeys(inside, "#1 +2") | {call_sid: "#9 +2" for call_sid, _ in line}
    view = View(frozenset(inside), numbers, list(line), {})
    told = {"now_ms": 100_000, "version": "7", "room": room, "settling": False, "lapsed": [], "view": view}
    return Standing(**{**told, **given})  # type: ignore[arg-type]


@in_virtual_time
async def test_it_decides_over_what_the_store_told() -> None:
    view = a_view()
    view.take(standing("a", line=(("b", 70_000), ("c", 90_000)), room=3))
    now = clock.now()

    assert isinstance(view.reception.receive(Caller("a"), now), LetIn)
    waiting = view.reception.receive(Caller("d"), now)
    assert isinstance(waiting, Wait) and waiting.position == 3
    assert isinstance(view.reception.receive(Caller("b"), now), LetIn)
    assert [round(now - each.since) for each in view.line] == [10, 0]


@in_virtual_time
async def test_the_numbers_of_calls_that_others_let_in_count() -> None:
    view = a_view()
    view.take(standing("a", "b", room=2))

    # Two calls of a number are the bound in a house of two.
    refused = view.reception.receive(Caller("c", "#1", "+2"), clock.now())

    assert getattr(refused, "why", None) == "number_share"


@in_virtual_time
async def test_an_unchanged_view_is_not_told_again() -> None:
    view = a_view()
    view.take(standing("a", line=(("b", 0),)))
    view.take(standing(view=None, version="7"))

    assert (view.version, view.slots.calls(), len(view.line)) == ("7", {"a"}, 1)
    view.is_stale()
    assert view.version == ""


@in_virtual_time
async def test_who_waited_before_the_store_was_emptied_is_remembered_once() -> None:
    view = a_view()
    view.take(standing("a", line=(("b", 0), ("c", 1))))
    view.take(standing(settling=True))
    view.take(standing(settling=True))

    assert [each.call_sid for each in view.taken_forgotten()] == ["b", "c"]
    assert view.taken_forgotten() == []


@in_virtual_time
async def test_who_lapsed_is_told_once() -> None:
    view = a_view()
    view.take(standing(lapsed=["x"]))
    view.take(standing(lapsed=["y"]))

    assert (view.taken_lapsed(), view.taken_lapsed()) == (["x", "y"], [])


@in_virtual_time
async def test_it_is_looked_at_often_only_while_somebody_waits() -> None:
    view = a_view()
    assert view.is_due()
    view.take(standing("a"))
    assert not view.is_due()
    view.take(standing("a", line=(("b", 0),)))
    assert view.is_due()


@in_virtual_time
async def test_a_filled_house_has_no_slot_until_the_next_look() -> None:
    view = a_view()
    view.take(standing(room=2))
    view.fill()

    assert isinstance(view.reception.receive(Caller("a"), clock.now()), Wait)
    view.take(standing(room=2))
    assert isinstance(view.reception.receive(Caller("b"), clock.now()), LetIn)


@pytest.mark.parametrize("caller", [Caller("a"), Caller("a", "#1", "+2"), Caller("a", "withheld", "")])
def test_numbers_are_found_again(caller: Caller) -> None:
    assert numbers_of(caller) == f"{caller.number} {caller.called}"
