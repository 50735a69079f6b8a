"""The limit in force."""

import pytest

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
