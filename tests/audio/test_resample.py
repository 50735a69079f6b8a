import os
from pathlib import Path

import numpy as np
import pytest
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from app.audio.resample import Resampler
from tests.audio.material import level_db, tone

RATES = [16_000, 22_050, 24_000, 44_100, 48_000]
EDGE = 800  # samples at 8 kHz: where a tone begins and ends it is no pure tone


def frames(channels: NDArray[np.int16], rate: int, block: int) -> list[AudioFrame]:
    made = []
    for at in range(0, channels.shape[1], block):
        floats = (channels[:, at : at + block] / np.float32(32_768)).astype(np.float32)
        frame = AudioFrame.from_ndarray(
            floats, format="fltp", layout="mono" if len(channels) == 1 else "stereo"
        )
        frame.sample_rate = rate
        made.append(frame)
    return made


def resample(channels: NDArray[np.int16], rate: int, block: int = 1_152) -> NDArray[np.int16]:
    made = frames(channels, rate, block)
    resampler = Resampler(made[0])
    return np.concatenate([resampler.feed(frame) for frame in made] + [resampler.finish()])


@pytest.mark.parametrize("rate", RATES)
def test_the_telephone_band_is_flat_within_half_a_decibel(rate: int) -> None:
    for hz in (300, 500, 1_000, 2_000, 3_000, 3_400):
        heard = resample(tone(hz, rate)[None], rate)[EDGE:-EDGE]
        assert abs(level_db(heard, 16_384)) < 0.5, hz


@pytest.mark.parametrize("rate", RATES)
def test_tones_above_the_band_are_60_decibels_down(rate: int) -> None:
    for hz in (4_600, 4_700, 5_000, 6_000, 7_500, 8_300, 9_900, 11_500, 12_300, 15_900, 16_400, 20_000):
        if hz < rate / 2 - 200:
            heard = resample(tone(hz, rate)[None], rate)[EDGE:-EDGE]
            assert level_db(heard, 16_384) < -60, hz


@pytest.mark.parametrize("rate", RATES)
def test_not_a_sample_is_lost(rate: int) -> None:
    assert len(resample(tone(440, rate, 1.5)[None], rate)) == 12_000


def test_the_lag_is_a_few_milliseconds() -> None:
    for rate in RATES:
        first = frames(tone(440, rate)[None], rate, rate // 10)[0]
        assert 800 - len(Resampler(first).feed(first)) <= 24, rate  # 3 ms


@pytest.mark.parametrize("block", [1, 7, 441, 1_000, 44_100])
def test_any_split_gives_the_same_samples(block: int) -> None:
    noise = np.random.default_rng(1).integers(-9_000, 9_000, (1, 4_410), np.int16)

    assert np.array_equal(resample(noise, 44_100, block), resample(noise, 44_100))


def test_stereo_is_mixed_half_and_half_without_clipping() -> None:
    loud = tone(440, 44_100, level=0.99)

    same = resample(np.stack([loud, loud]), 44_100)[EDGE:-EDGE]
    one = resample(np.stack([loud, loud * 0]), 44_100)[EDGE:-EDGE]
    opposed = resample(np.stack([loud, -loud]), 44_100)

    assert level_db(same, 0.99 * 32_767) == pytest.approx(0, abs=0.1)
    assert level_db(one, 0.99 * 32_767) == pytest.approx(-6.02, abs=0.1)
    assert np.abs(opposed).max() <= 1


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_streams_start_no_threads() -> None:
    first = frames(tone(440, 44_100)[None], 44_100, 1_152)[0]
    before = len(list(Path("/proc/self/task").iterdir()))

    resamplers = [Resampler(first) for _ in range(20)]
    for resampler in resamplers:
        resampler.feed(first)

    assert len(list(Path("/proc/self/task").iterdir())) == before
