"""What an operator sets is within its range, or all that is not is named."""

from dataclasses import dataclass

import pytest

from app.hearing.ranges import check


@dataclass
class Numbers:
    pause_ms: float = 300
    share: float = 0.5


def test_the_ends_of_a_range_are_within_it() -> None:
    check(Numbers(), pause_ms=(300, 1_000), share=(0, 0.5))


def test_everything_outside_is_named_at_once() -> None:
    with pytest.raises(ValueError) as fault:
        check(Numbers(), pause_ms=(400, 1_000), share=(0, 0.25))

    assert str(fault.value) == "pause_ms is 300, must be 400 to 1000; share is 0.5, must be 0 to 0.25"


def test_what_is_no_number_is_in_no_range() -> None:
    with pytest.raises(ValueError):
        check(Numbers(share=float("nan")), share=(0, 1))
