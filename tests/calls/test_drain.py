"""The way out of a process."""

import pytest

from app.calls.drain import Drain, Patience, Phase

PATIENCE = Patience(hand_over_s=30.0, deadline_s=900.0, notice_s=6.0)


@pytest.mark.parametrize(
    ("passed", "phase"),
    [(0.0, Phase.DRAINING), (29.9, Phase.DRAINING), (30.0, Phase.HANDING_OVER), (900.0, Phase.CLOSING)],
)
def test_patience_wears_off_by_steps(passed: float, phase: Phase) -> None:
    drain = Drain(PATIENCE)
    assert (drain.phase(99.0), drain.draining) == (Phase.SERVING, False)

    drain.begin(100.0)

    assert (drain.phase(100.0 + passed), drain.draining) == (phase, True)


def test_a_second_signal_hurries() -> None:
    drain = Drain(PATIENCE)
    drain.begin(100.0)
    drain.begin(101.0)

    assert drain.phase(101.0) is Phase.CLOSING


def test_it_is_over_when_nobody_is_left_or_the_notice_was_said() -> None:
    drain = Drain(PATIENCE)
    assert not drain.is_over(100.0, 0)
    drain.begin(100.0)

    assert drain.is_over(100.0, 0)
    assert not drain.is_over(1005.9, 1)
    assert drain.is_over(1006.0, 1)


def test_the_notice_is_said_after_a_hurry_too() -> None:
    drain = Drain(PATIENCE)
    drain.hurry(100.0)

    assert not drain.is_over(105.9, 3)
    assert drain.is_over(106.0, 3)
