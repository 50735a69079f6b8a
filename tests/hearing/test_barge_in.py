"""While we speak: our echo is nobody, a caller stops us soon, and noises do not."""

import numpy as np
import pytest

from app.hearing.ear import Event
from app.hearing.endpointing import BargedIn, UtteranceBegan, UtterancePaused
from tests.hearing.lines import run_sounds
from tests.hearing.sounds import RATE, Sound, at_level, noise, not_speech, phone_band, silence, speech

SPEECH = speech()
WORD = SPEECH[: RATE // 2 * 3]  # 1.5 s
OURS = np.concatenate([at_level(SPEECH, -18), silence(0.4)])


def echo(loss_db: float, delay_ms: int = 180, *, ours: Sound = OURS) -> Sound:
    """Our voice later, duller and softer, on a line that is not quite silent."""
    late = np.concatenate([silence(delay_ms / 1_000), ours])[: len(ours)]
    dull = phone_band(late + 0.5 * np.concatenate([np.zeros(3), late[:-3]]), RATE)
    return at_level(dull, -18 - loss_db) + noise(10, len(ours) / RATE, -65)


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_our_own_echo_is_nobody_from_its_first_word_to_its_last() -> None:
    lines = {
        f"{loss_db} dB, {delay_ms} ms": echo(loss_db, delay_ms)
        for loss_db in (15, 18, 20, 23, 26, 30, 40)
        for delay_ms in (0, 60, 180, 340, 500)
    }

    found = run_sounds(lines, dict.fromkeys(lines, OURS))

    assert {name: kinds(events) for name, events in found.items()} == {name: [] for name in lines}


def test_a_long_replys_echo_is_nobody_either() -> None:
    ours = np.tile(OURS, 6)  # a minute
    lines = {f"{loss_db} dB": echo(loss_db, 220, ours=ours) for loss_db in (15, 20, 26, 30)}

    found = run_sounds(lines, dict.fromkeys(lines, ours))

    assert {name: kinds(events) for name, events in found.items()} == {name: [] for name in lines}


def test_without_the_gate_the_echo_would_be_somebody() -> None:
    (events,) = run_sounds({"": echo(20)}).values()

    assert kinds(events)[0] == "UtteranceBegan"


@pytest.mark.parametrize(
    ("loss_db", "below_db", "within_ms"),
    [(loss_db, 0, 260) for loss_db in (15, 20, 26, 40)]
    + [(20, 8, 260), (26, 8, 260), (40, 8, 260), (18, 8, 300), (26, 14, 300)],
)
def test_the_caller_interrupts_whenever_they_begin(loss_db: float, below_db: float, within_ms: int) -> None:
    begins = range(1_500, 6_000, 500)
    lines = {}
    for begin_ms in begins:
        near = np.concatenate([silence(begin_ms / 1_000), at_level(WORD, -18 - below_db), silence(10)])
        lines[str(begin_ms)] = echo(loss_db) + near[: len(OURS)]

    found = run_sounds(lines, dict.fromkeys(lines, OURS))

    for begin_ms, events in zip(begins, found.values(), strict=True):
        barged = [event.at_ms for event in events if isinstance(event, BargedIn)]
        assert len(barged) == 1
        assert begin_ms + 120 <= barged[0] <= begin_ms + within_ms


def test_nothing_that_is_not_speech_interrupts_us() -> None:
    lines = not_speech(len(OURS) / RATE)

    found = run_sounds(lines, dict.fromkeys(lines, OURS))

    for name, events in found.items():
        assert not [event for event in events if isinstance(event, BargedIn | UtteranceBegan)], name


def test_a_soft_syllable_does_not_stop_who_interrupts() -> None:
    lines = {"": echo(30) + np.concatenate([silence(3), at_level(WORD, -26), silence(10)])[: len(OURS)]}

    (events,) = run_sounds(lines, {"": OURS}).values()

    paused = [event.at_ms for event in events if isinstance(event, UtterancePaused)]
    assert kinds(events)[:2] == ["UtteranceBegan", "BargedIn"]
    assert paused[0] > 4_300
