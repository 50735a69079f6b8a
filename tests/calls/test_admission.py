"""Slots."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.admission import SET_ASIDE_S, Admission
from app.errors import AtCapacity


def test_a_repeated_webhook_keeps_one_slot() -> None:
    admission = Admission(5)

    for now in (0.0, 1.0, 2.0):
        admission.reserve("CA1", now)

    assert admission.taken == 1


def test_two_calls_keep_two_slots() -> None:
    admission = Admission(5)
    admission.reserve("CA1", 0.0)
    admission.reserve("CA2", 0.0)

    assert admission.taken == 2


def test_a_full_house_refuses_the_next_call_and_takes_it_after_a_release() -> None:
    admission = Admission(1)
    admission.adopt("CA1", 0.1)

    with pytest.raises(AtCapacity):
        admission.reserve("CA2", 1.0)
    admission.release("CA1")

    admission.reserve("CA2", 2.0)
    assert admission.taken == 1


def test_reserved_slots_count_before_their_socket_comes() -> None:
    admission = Admission(1)
    admission.reserve("CA1", 0.0)

    with pytest.raises(AtCapacity):
        admission.reserve("CA2", 0.0)


def test_a_reservation_without_a_socket_lapses() -> None:
    admission = Admission(1, reservation_s=10)
    admission.reserve("CA1", 0.0)

    assert admission.expire(9.9) == []
    assert admission.expire(10.0) == ["CA1"]
    admission.reserve("CA2", 10.0)
    assert admission.taken == 1


def test_a_live_call_never_lapses() -> None:
    admission = Admission(1, reservation_s=10)
    admission.adopt("CA1", 1.0)

    assert admission.expire(1e6) == []
    assert admission.live == admission.taken == 1


def test_a_late_socket_is_let_in_while_there_is_room() -> None:
    admission = Admission(1, reservation_s=10)
    admission.reserve("CA1", 0.0)
    admission.expire(10.0)

    admission.adopt("CA1", 30.0)

    assert admission.live == 1


def test_a_late_socket_is_refused_when_its_slot_has_gone_to_another() -> None:
    admission = Admission(1, reservation_s=10)
    admission.reserve("CA1", 0.0)
    admission.reserve("CA2", 11.0)

    assert not admission.has_room_for("CA1", 12.0)
    with pytest.raises(AtCapacity):
        admission.adopt("CA1", 12.0)


def test_a_socket_whose_webhook_another_replica_answered_is_let_in_while_there_is_room() -> None:
    admission = Admission(1)

    assert admission.has_room_for("CA1", 0.0)
    admission.adopt("CA1", 0.0)

    assert not admission.has_room_for("CA2", 0.0)
    assert admission.live == 1


def test_a_webhook_that_is_played_again_after_the_call_keeps_no_slot() -> None:
    admission = Admission(5)
    admission.adopt("CA1", 1.0)
    admission.release("CA1")

    admission.reserve("CA1", 2.0)

    assert admission.taken == 0


def test_a_call_that_goes_on_keeps_a_slot_again() -> None:
    admission = Admission(1)
    admission.adopt("CA1", 1.0)
    admission.release("CA1")

    admission.reserve_again("CA1", 2.0)

    assert admission.taken == 1


def test_a_call_asked_for_by_hand_has_no_slot_until_its_socket_comes() -> None:
    admission = Admission(1)

    admission.reserve("", 0.0)

    assert admission.taken == 0


def test_a_caller_gone_before_the_socket_gives_the_slot_back() -> None:
    admission = Admission(1)
    admission.reserve("CA1", 0.0)

    admission.withdraw("CA1")
    admission.reserve("CA1", 1.0)

    assert admission.taken == 0


def test_withdrawing_a_live_or_unknown_call_changes_nothing() -> None:
    admission = Admission(1)
    admission.adopt("CA1", 0.0)

    admission.withdraw("CA1")
    admission.withdraw("CA9")
    admission.release("CA9")

    assert admission.live == 1


def test_a_call_that_goes_on_keeps_its_slot_for_a_moment() -> None:
    admission = Admission(1)
    admission.adopt("CA1", 0.0)

    admission.set_aside("CA1", 10.0)

    with pytest.raises(AtCapacity):
        admission.reserve("CA2", 10.0 + SET_ASIDE_S - 0.1)
    admission.reserve_again("CA1", 11.0)
    admission.adopt("CA1", 12.0)
    assert admission.live == 1


def test_a_call_that_does_not_go_on_after_all_gives_its_slot_to_the_next() -> None:
    admission = Admission(1)
    admission.adopt("CA1", 0.0)
    admission.set_aside("CA1", 10.0)

    admission.reserve("CA2", 10.0 + SET_ASIDE_S)

    assert admission.calls() == {"CA2"}


def test_a_call_that_the_fleet_has_a_slot_for_comes_into_a_full_house() -> None:
    admission = Admission(1)
    admission.adopt("CA1", 0.0)

    admission.adopt("CA2", 0.0, reserved_elsewhere=True)

    assert admission.live == 2


def test_what_is_remembered_is_bounded_and_live_calls_are_never_forgotten() -> None:
    admission = Admission(2, reservation_s=1)
    admission.adopt("CA-first", 0.0)
    for number in range(10_050):
        admission.reserve(f"CA{number}", 2.0 + 2 * number)

    assert len(admission._places) == 10_000
    assert admission.live == 1


def test_32_a_newer_stream_of_a_call_takes_over_the_slot_of_the_older() -> None:
    admission = Admission(1)
    admission.adopt("CA1", 0.0)
    admission.adopt("CA1", 1.0)

    assert (admission.live, admission.taken) == (1, 1)
    admission.release("CA1")
    assert (admission.live, admission.taken) == (0, 0)


steps = st.lists(
    st.tuples(st.sampled_from(["reserve", "adopt", "release", "withdraw"]), st.integers(0, 5)),
    max_size=60,
)


def act(admission: Admission, what: str, call_sid: str, now: float) -> None:
    match what:
        case "reserve":
            admission.reserve(call_sid, now)
        case "adopt":
            admission.adopt(call_sid, now)
        case "release":
            admission.release(call_sid)
        case "withdraw":
            admission.withdraw(call_sid)


@given(steps)
def test_never_more_slots_than_the_cap_and_none_left_after_all_have_gone(plan: list[tuple[str, int]]) -> None:
    admission = Admission(3, reservation_s=10)
    for step, (what, who) in enumerate(plan):
        with suppress(AtCapacity):
            act(admission, what, f"CA{who}", 4.0 * step)
        assert admission.live <= admission.taken <= 3

    for who in range(6):
        admission.release(f"CA{who}")
    admission.expire(1e6)
    assert admission.taken == 0
