import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capacity.breaker import Breaker, BreakerLimits, State

LIMITS = BreakerLimits(
    failures=3, pause_s=5, longest_pause_s=20, refused_pause_s=60, longest_refused_pause_s=200, probe_s=60
)


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker(LIMITS)
    for _ in range(3):
        breaker.failed(at)
    return breaker


def test_it_opens_at_the_third_failure_in_a_row() -> None:
    breaker = Breaker(LIMITS)

    assert [breaker.failed(0.0), breaker.failed(1.0), breaker.failed(2.0)] == [False, False, True]
    assert breaker.state(6.9) is State.OPEN
    assert not breaker.may_pass(6.9)


def test_a_success_between_failures_begins_the_count_anew() -> None:
    breaker = Breaker(LIMITS)
    for _ in range(5):
        breaker.failed(0.0)
        breaker.failed(0.0)
        breaker.succeeded()

    assert breaker.state(0.0) is State.CLOSED


def test_after_its_pause_one_probes_and_the_others_may_not() -> None:
    breaker = opened()

    assert breaker.state(5.0) is State.HALF_OPEN
    assert [breaker.may_pass(5.0), breaker.may_pass(5.0), breaker.may_pass(30.0)] == [True, False, False]


def test_a_probe_that_succeeds_closes_it_and_one_that_fails_doubles_the_pause_up_to_a_limit() -> None:
    breaker = opened()
    now, pauses = 5.0, []
    for _ in range(4):
        assert breaker.may_pass(now)
        assert breaker.failed(now)
        pauses.append(breaker.opens_in(now))
        now += pauses[-1]
    breaker.may_pass(now)
    breaker.succeeded()

    assert pauses == [10, 20, 20, 20]
    assert breaker.state(now) is State.CLOSED
    for _ in range(3):
        breaker.failed(now)
    assert breaker.opens_in(now) == 5  # what was before is forgotten


def test_a_probe_that_was_left_lets_another_probe() -> None:
    breaker = opened()
    breaker.may_pass(5.0)
    breaker.left()

    assert breaker.may_pass(5.1)


def test_a_probe_that_never_told_how_it_went_is_forgotten() -> None:
    breaker = opened()
    breaker.may_pass(5.0)

    assert not breaker.may_pass(64.9)
    assert breaker.may_pass(65.0)


def test_what_cannot_pass_by_itself_opens_at_once_and_for_longer() -> None:
    breaker = Breaker(LIMITS)

    assert breaker.failed(0.0, for_good=True)
    assert breaker.opens_in(0.0) == 60
    breaker.may_pass(60.0)
    breaker.failed(60.0, for_good=True)
    assert breaker.opens_in(60.0) == 120


def test_the_vendors_own_wish_is_kept_when_it_is_longer() -> None:
    breaker = Breaker(BreakerLimits(failures=1))
    breaker.failed(0.0, retry_after_s=30.0)

    assert breaker.opens_in(0.0) == 30


def test_those_who_had_begun_before_it_opened_do_not_prolong_it() -> None:
    breaker = opened()

    assert not breaker.failed(4.0)
    assert breaker.opens_in(4.0) == 1


def test_a_good_look_half_opens_it_but_not_after_a_refusal() -> None:
    failing, refused = opened(), Breaker(LIMITS)
    refused.failed(0.0, for_good=True)
    for breaker in (failing, refused):
        breaker.recovered(1.0)

    assert (failing.state(1.0), refused.state(1.0)) == (State.HALF_OPEN, State.OPEN)
    assert not refused.may_recover(1.0)
    closed = Breaker(LIMITS)
    closed.recovered(1.0)
    assert (closed.state(1.0), closed.opens_in(1.0)) == (State.CLOSED, 0)


@given(
    st.lists(st.tuples(st.sampled_from(["ask", "fail", "refuse", "succeed", "leave"]), st.integers(0, 100)))
)
def test_it_is_never_open_for_longer_than_its_longest_pause(steps: list[tuple[str, int]]) -> None:
    breaker, now = Breaker(LIMITS), 0.0
    for step, later in steps:
        now += later
        match step:
            case "ask":
                breaker.may_pass(now)
            case "fail" | "refuse":
                breaker.failed(now, for_good=step == "refuse")
            case "succeed":
                breaker.succeeded()
            case _:
                breaker.left()

        assert breaker.opens_in(now) <= 200
        assert breaker.state(now + 200) is not State.OPEN


def test_closed_lets_everybody_pass() -> None:
    breaker = Breaker()

    assert all(breaker.may_pass(now) for now in (0.0, 0.0, 1.0))
    assert breaker.opens_in(0.0) == pytest.approx(0)
