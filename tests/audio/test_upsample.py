"""8 kHz to 24 kHz."""

import numpy as np
import pytest

from app.audio.upsample import RATE, Upsampler
from tests.audio.material import tone


def upsampled(samples: np.ndarray, *cuts: int) -> np.ndarray:
    upsampler = Upsampler()
    pieces = [upsampler.feed(piece) for piece in np.split(samples, cuts)]
    return np.concatenate([*pieces, upsampler.finish()])


@pytest.mark.parametrize("hz", [100.0, 1000.0, 3000.0, 3400.0])
def test_a_tone_of_the_telephones_band_keeps_its_place_and_level(hz: float) -> None:
    wide = upsampled(tone(hz, 8000))

    assert len(wide) == RATE
    assert np.abs(wide[600:-600].astype(float) - tone(hz, RATE)[600:-600]).max() < 20  # of 16,384


def test_what_comes_out_does_not_depend_on_the_cuts() -> None:
    samples = tone(440, 8000)

    assert np.array_equal(upsampled(samples), upsampled(samples, 1, 2, 20, 4000))
    assert upsampled(samples[:0]).size == 0
