"""Speech faster and slower."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.audio.tempo import FASTEST, SLOWEST, Tempo
from tests.audio.material import tone


def at_speed(speed: float, samples: NDArray[np.int16], piece: int = 800) -> NDArray[np.int16]:
    tempo = Tempo(speed)
    pieces = [tempo.feed(samples[start : start + piece]) for start in range(0, len(samples), piece)]
    return np.concatenate([*pieces, tempo.finish()])


@pytest.mark.parametrize("speed", [SLOWEST, 0.5, 0.9, 1.1, 1.5, 2.0, FASTEST])
def test_the_length_changes_and_the_pitch_does_not(speed: float) -> None:
    paced = at_speed(speed, tone(200, 8000, seconds=2.0))

    spectrum = np.abs(np.fft.rfft(paced * np.hanning(len(paced))))
    assert len(paced) == round(16_000 / speed)
    assert np.argmax(spectrum) * 8000 / len(paced) == pytest.approx(200, abs=2)


@pytest.mark.parametrize("speed", [0.7, 1.3])
def test_no_click_is_made_where_windows_meet(speed: float) -> None:
    samples = tone(200, 8000, seconds=2.0)

    steepest = np.abs(np.diff(samples.astype(int))).max()

    assert np.abs(np.diff(at_speed(speed, samples).astype(int)))[:-400].max() < 1.3 * steepest


def test_the_cuts_make_no_difference() -> None:
    samples = tone(300, 8000)

    assert np.array_equal(at_speed(1.4, samples, 37), at_speed(1.4, samples, 8000))


def test_the_usual_speed_changes_nothing_and_nothing_stays_nothing() -> None:
    samples = tone(300, 8000)

    assert np.array_equal(at_speed(1.0, samples), samples)
    assert at_speed(2.0, samples[:0]).size == 0
    assert len(at_speed(2.0, samples[:1000])) == 500


def test_a_long_text_is_not_kept() -> None:
    tempo = Tempo(1.5)
    for _ in range(200):
        tempo.feed(tone(200, 8000, seconds=0.1))

    assert len(tempo._held) < 2400
