"""The limit in force."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.capacity.effective import BURST_S, RECOVERY_S, UNKNOWN, EffectiveLimit


@pytest.mark.parametrize(
    ("vendor", "limit"), [(None, 10), (1, 1), (2, 1), (5, 4), (10, 9), (11, 10), (100, 10), (0, 10)]
)
def test_the_vendors_word_counts_less_a_margin(vendor: int | None, limit: int) -> None:
    effective = EffectiveLimit(10)
    effective.vendor_allows(vendor)

    assert effective.current(0.0) == limit


def test_a_refusal_takes_one_away_and_every_quiet_while_gives_one_back() -> None:
    effective = EffectiveLimit(8)
    effective.refused(0.0, in_use=5)

    assert [effective.current(n * RECOVERY_S) for n in range(6)] == [4, 5, 6, 7, 8, 8]
    assert effective.next_change() is None


def test_a_burst_of_refusals_leaves_what_the_vendor_let_through() -> None:
    effective = EffectiveLimit(5)
    for in_use in (5, 4, 3, 2):  # the refused ones leave one by one
        effective.refused(0.5, in_use)
    assert effective.current(1.0) == 1

    effective.refused(0.5 + BURST_S, in_use=1)
    assert effective.next_change() == 0.5 + BURST_S + RECOVERY_S


def test_without_anybodys_word_the_limit_is_a_small_plans() -> None:
    effective = EffectiveLimit()
    assert effective.current(0.0) == UNKNOWN
    effective.vendor_allows(20)

    assert effective.current(0.0) == 19


def test_one_is_always_left() -> None:
    effective = EffectiveLimit(1)
    effective.refused(0.0, in_use=1)

    assert effective.current(0.0) == 1


@example(511.877, 4)  # ten seconds later are, in floats, a little less than ten seconds later
@given(st.floats(0.0, 1e9), st.integers(2, 50))
def test_when_the_next_change_is_due_it_happens(refused_at: float, configured: int) -> None:
    effective = EffectiveLimit(configured)
    effective.refused(refused_at, in_use=configured)
    due = effective.next_change()

    assert due is not None
    assert effective.current(due) == configured  # else a timer set for `due` would ring for ever


@given(
    st.none() | st.integers(1, 20),
    st.lists(st.tuples(st.sampled_from(["refused", "allows", "pass"]), st.integers(0, 30))),
)
def test_the_limit_is_always_between_one_and_what_was_agreed(
    configured: int | None, steps: list[tuple[str, int]]
) -> None:
    effective, now = EffectiveLimit(configured), 0.0
    ceiling = UNKNOWN if configured is None else configured
    for what, number in steps:
        before = effective.current(now)
        if what == "refused":
            effective.refused(now, in_use=number)
            assert effective.current(now) == 1 or effective.current(now) < before
        elif what == "allows":
            effective.vendor_allows(number)
            word = [number - max(1, -(-number // 20))] if number else []
            agreed = [max(1, limit) for limit in word] + ([] if configured is None else [configured])
            ceiling = min(agreed, default=UNKNOWN)
        else:
            now += number
            assert effective.current(now) >= before
        assert 1 <= effective.current(now) <= ceiling
