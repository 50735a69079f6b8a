"""A handset that lets its own sound into its microphone."""

import numpy as np
import pytest

from app.audio import mulaw
from app.audio.mulaw import level_dbfs
from app.simulator.echo import Echo
from app.simulator.plan import Line

LOUD = mulaw.encode((np.sin(np.arange(160) * 0.7) * 10_000).astype(np.int16))
SAID = mulaw.encode((np.sin(np.arange(160) * 0.2) * 5_000).astype(np.int16))


def test_a_good_handset_returns_nothing() -> None:
    assert Echo(Line()).mixed(LOUD, None) is None
    assert Echo(Line()).mixed(LOUD, SAID) is SAID


def test_what_is_played_comes_back_softer_and_later() -> None:
    echo = Echo(Line(echo_db=-20, echo_delay_ms=120))

    back = [echo.mixed(LOUD if tick == 0 else None, None) for tick in range(9)]

    assert [at for at, frame in enumerate(back) if frame is not None] == [6]
    assert level_dbfs(back[6] or b"") == pytest.approx(level_dbfs(LOUD) - 20, abs=0.3)


def test_it_is_mixed_with_what_the_caller_says() -> None:
    echo = Echo(Line(echo_db=-6, echo_delay_ms=0))

    both = mulaw.decode(echo.mixed(LOUD, SAID) or b"").astype(float)

    wanted = mulaw.decode(SAID) + mulaw.decode(LOUD) * 10 ** (-6 / 20)
    assert np.abs(both - wanted).max() < 600  # a step of mu-law at this level


def test_two_that_are_too_loud_together_are_cut_and_do_not_turn_over() -> None:
    peak = mulaw.encode(np.full(160, 30_000, np.int16))

    both = mulaw.decode(Echo(Line(echo_db=0, echo_delay_ms=0)).mixed(peak, peak) or b"")

    assert both.min() > 30_000
