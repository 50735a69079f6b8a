"""The delay of an echo is found, whatever it is, and another's words are not taken for one."""

import pytest

from app.hearing.echo_delay import LONGEST_FRAMES, EchoDelay
from app.hearing.vad import levels_dbfs
from tests.hearing.sounds import mulaw_frames, noise, speech

OURS = levels_dbfs(b"".join(mulaw_frames(speech())))  # 10 s
OTHER = list(reversed(OURS))


def heard(delay: EchoDelay, ours: list[float], theirs: list[float]) -> EchoDelay:
    for pair in zip(ours, theirs, strict=False):
        delay.hear(*pair)
    return delay


def later(frames: int, loss_db: float, noise_dbfs: float = -62.0) -> list[float]:
    return [max(level - loss_db, noise_dbfs) for level in [-100.0] * frames + OURS]


@pytest.mark.parametrize("frames", [0, 1, 9, 15, 25, LONGEST_FRAMES])
@pytest.mark.parametrize("loss_db", [12, 20, 26])
def test_the_delay_is_that_of_the_echo(frames: int, loss_db: float) -> None:
    delay = heard(EchoDelay(), OURS, later(frames, loss_db))

    assert delay.frames == pytest.approx(frames, abs=1)


def test_it_is_found_within_two_seconds_of_speech() -> None:
    assert heard(EchoDelay(), OURS[:100], later(10, 15)).frames == pytest.approx(10, abs=1)


def test_another_who_speaks_at_the_same_time_is_no_echo() -> None:
    assert heard(EchoDelay(), OURS, OTHER).frames is None


def test_a_silent_line_has_no_echo() -> None:
    assert heard(EchoDelay(), OURS, [-100.0] * len(OURS)).frames is None


def test_line_noise_is_no_echo() -> None:
    levels = levels_dbfs(b"".join(mulaw_frames(noise(10, 10, -45))))

    assert heard(EchoDelay(), OURS, levels).frames is None


def test_who_talks_over_us_does_not_change_it() -> None:
    delay = heard(EchoDelay(), OURS, later(10, 15))
    known = delay.frames

    heard(delay, OURS, [float(max(pair)) for pair in zip(later(10, 15), OTHER, strict=False)])

    assert delay.frames == known


def test_another_way_of_the_call_is_learned_anew() -> None:
    delay = heard(EchoDelay(), OURS, later(5, 15))

    heard(delay, OURS, later(20, 15))

    assert delay.frames == pytest.approx(20, abs=1)
