"""Slots and stream tokens."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.admission import Admission, Refusal, TokenRefused
from app.errors import AtCapacity


def refusal_of(admission: Admission, token: str, call_sid: str, now: float) -> Refusal:
    with pytest.raises(TokenRefused) as caught:
        admission.adopt(token, call_sid, now)
    return caught.value.refusal


def test_a_repeated_webhook_gets_the_same_token_and_one_slot() -> None:
    admission = Admission(5)

    tokens = {admission.reserve("CA1", now) for now in (0.0, 1.0, 2.0)}

    assert len(tokens) == 1
    assert admission.taken == 1


def test_two_calls_get_two_tokens() -> None:
    admission = Admission(5)

    assert admission.reserve("CA1", 0.0) != admission.reserve("CA2", 0.0)
    assert admission.taken == 2


def test_a_full_house_refuses_the_next_call_and_takes_it_after_a_release() -> None:
    admission = Admission(1)
    admission.adopt(admission.reserve("CA1", 0.0), "CA1", 0.1)

    with pytest.raises(AtCapacity):
        admission.reserve("CA2", 1.0)
    admission.release("CA1")

    assert admission.reserve("CA2", 2.0)


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
    assert admission.reserve("CA2", 10.0)


def test_a_live_call_never_lapses() -> None:
    admission = Admission(1, reservation_s=10)
    admission.adopt(admission.reserve("CA1", 0.0), "CA1", 1.0)

    assert admission.expire(1e6) == []
    assert admission.live == admission.taken == 1


def test_a_late_socket_is_let_in_while_there_is_room() -> None:
    admission = Admission(1, reservation_s=10, token_s=60)
    token = admission.reserve("CA1", 0.0)
    admission.expire(10.0)

    admission.adopt(token, "CA1", 30.0)

    assert admission.live == 1


def test_a_late_socket_is_refused_when_its_slot_has_gone_to_another() -> None:
    admission = Admission(1, reservation_s=10, token_s=60)
    token = admission.reserve("CA1", 0.0)
    admission.reserve("CA2", 11.0)

    with pytest.raises(AtCapacity):
        admission.adopt(token, "CA1", 12.0)


def test_each_wrong_token_is_refused_for_its_own_reason() -> None:
    admission = Admission(5, token_s=60)
    one, two = admission.reserve("CA1", 0.0), admission.reserve("CA2", 0.0)

    assert refusal_of(admission, "", "CA1", 1.0) is Refusal.MISSING
    assert refusal_of(admission, one[:-1], "CA1", 1.0) is Refusal.UNKNOWN
    assert refusal_of(admission, two, "CA1", 1.0) is Refusal.OTHER_CALL
    assert refusal_of(admission, one, "CA1", 60.0) is Refusal.EXPIRED
    admission.adopt(two, "CA2", 1.0)
    assert refusal_of(admission, two, "CA2", 2.0) is Refusal.USED


def test_a_used_token_stays_used_when_the_webhook_is_replayed() -> None:
    admission = Admission(5)
    token = admission.reserve("CA1", 0.0)
    admission.adopt(token, "CA1", 1.0)
    admission.release("CA1")

    assert admission.reserve("CA1", 2.0) == token
    assert admission.taken == 0
    assert refusal_of(admission, token, "CA1", 3.0) is Refusal.USED


def test_a_token_that_expired_unused_is_renewed_by_the_next_webhook() -> None:
    admission = Admission(5, token_s=60)
    old = admission.reserve("CA1", 0.0)

    fresh = admission.reserve("CA1", 61.0)

    assert fresh != old
    admission.adopt(fresh, "CA1", 62.0)


def test_a_token_asked_for_by_hand_serves_the_first_call_only() -> None:
    admission = Admission(1)
    token = admission.reserve("", 0.0)

    assert admission.taken == 0
    admission.adopt(token, "CA7", 1.0)
    assert admission.live == 1
    assert refusal_of(admission, token, "CA8", 2.0) is Refusal.USED


def test_a_caller_gone_before_the_socket_gives_the_slot_back_and_spends_the_token() -> None:
    admission = Admission(1)
    token = admission.reserve("CA1", 0.0)

    admission.withdraw("CA1")

    assert admission.taken == 0
    assert refusal_of(admission, token, "CA1", 1.0) is Refusal.USED


def test_withdrawing_a_live_or_unknown_call_changes_nothing() -> None:
    admission = Admission(1)
    admission.adopt(admission.reserve("CA1", 0.0), "CA1", 0.0)

    admission.withdraw("CA1")
    admission.withdraw("CA9")
    admission.release("CA9")

    assert admission.live == 1


def test_only_live_calls_make_the_house_full_for_a_socket() -> None:
    admission = Admission(1)
    token = admission.reserve("CA1", 0.0)

    assert not admission.is_full_of_live_calls()
    admission.adopt(token, "CA1", 0.0)
    assert admission.is_full_of_live_calls()


def test_what_is_remembered_is_bounded_and_live_calls_are_never_forgotten() -> None:
    admission = Admission(2, reservation_s=1)
    first = admission.reserve("CA-first", 0.0)
    admission.adopt(first, "CA-first", 0.0)
    for number in range(10_050):
        admission.reserve(f"CA{number}", 2.0 + 2 * number)

    assert len(admission._places) == 10_000
    assert refusal_of(admission, first, "CA-first", 1e6) is Refusal.USED


def test_32_a_newer_stream_of_a_call_takes_over_the_slot_of_the_older() -> None:
    admission = Admission(1)
    admission.adopt(admission.reserve("CA1", 0.0), "CA1", 0.0)
    newer = admission.reserve("", 1.0)  # for whatever call uses it first
    admission.adopt(newer, "CA1", 1.0)

    assert (admission.live, admission.taken) == (1, 1)
    admission.release("CA1")
    assert (admission.live, admission.taken) == (0, 0)


steps = st.lists(
    st.tuples(st.sampled_from(["reserve", "adopt", "release", "withdraw"]), st.integers(0, 5)),
    max_size=60,
)


def act(admission: Admission, what: str, call_sid: str, now: float, tokens: dict[str, str]) -> None:
    match what:
        case "reserve":
            tokens[call_sid] = admission.reserve(call_sid, now)
        case "adopt":
            admission.adopt(tokens.get(call_sid, ""), call_sid, now)
        case "release":
            admission.release(call_sid)
        case "withdraw":
            admission.withdraw(call_sid)


@given(steps)
def test_never_more_slots_than_the_cap_and_none_left_after_all_have_gone(plan: list[tuple[str, int]]) -> None:
    admission, tokens = Admission(3, reservation_s=10, token_s=60), dict[str, str]()
    for step, (what, who) in enumerate(plan):
        with suppress(AtCapacity, TokenRefused):
            act(admission, what, f"CA{who}", 4.0 * step, tokens)
        assert admission.live <= admission.taken <= 3

    for who in range(6):
        admission.release(f"CA{who}")
    admission.expire(1e6)
    assert admission.taken == 0
