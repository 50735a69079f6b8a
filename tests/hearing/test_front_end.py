import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.hearing.front_end import BANDS, CEPSTRA, CONTEXT, HOP, WINDOW, FrontEnd, Network, band_filters
from tests.hearing.sounds import at_level, speech

NETWORK = Network()


def pcm16_of(seconds: float, dbfs: float = -20) -> NDArray[np.int16]:
    sound = at_level(speech(), dbfs)[: round(8000 * seconds)]
    return np.rint(sound * 32_768).astype(np.int16)


def through(pcm16: NDArray[np.int16], *cuts: int) -> NDArray[np.float32]:
    front_end = FrontEnd(NETWORK)
    pieces = [front_end.feed(piece) for piece in np.split(pcm16, sorted(cuts))]
    return np.concatenate([*pieces, front_end.finish()])


@given(st.lists(st.integers(0, 8000), max_size=20))
@settings(max_examples=40, deadline=None)
def test_cepstra_are_the_same_for_every_cutting_of_the_audio(cuts: list[int]) -> None:
    pcm16 = pcm16_of(1)

    assert np.allclose(through(pcm16, *cuts), through(pcm16), atol=1e-3)


def test_there_is_one_frame_for_every_10_ms() -> None:
    assert through(pcm16_of(2)).shape == (1 + (16_000 - WINDOW) // HOP, CEPSTRA)


def test_frames_come_50_ms_after_their_sound() -> None:
    front_end = FrontEnd(NETWORK)

    early = front_end.feed(pcm16_of(1)[: WINDOW + (CONTEXT - 1) * HOP])
    due = front_end.feed(pcm16_of(1)[WINDOW + (CONTEXT - 1) * HOP : WINDOW + CONTEXT * HOP])

    assert (len(early), len(due)) == (0, 1)


@pytest.mark.parametrize("samples", [0, 1, WINDOW - 1])
def test_too_little_audio_gives_no_frame(samples: int) -> None:
    assert through(pcm16_of(1)[:samples]).shape == (0, CEPSTRA)


def test_a_single_window_gives_one_frame() -> None:
    assert through(pcm16_of(1)[:WINDOW]).shape == (1, CEPSTRA)


def test_a_softer_caller_differs_in_the_first_cepstrum_only() -> None:
    line = np.random.default_rng(1).normal(0, 300, 16_000)  # no band is empty, so none is at its floor
    loud, soft = (through(np.rint(line * gain).astype(np.int16)) for gain in (4, 1))

    difference = (loud - soft).mean(axis=0)
    assert difference[0] == pytest.approx(5 * np.log(4**2), rel=0.01)
    assert np.abs(difference[1:]).max() < 0.2


def test_digital_silence_is_finite() -> None:
    assert np.isfinite(through(np.zeros(8000, np.int16))).all()


def test_clipping_is_finite() -> None:
    square = np.where(np.arange(8000) % 40 < 20, 32_767, -32_768).astype(np.int16)

    assert np.isfinite(through(square)).all()


def test_filters_have_equal_area_and_cover_the_line() -> None:
    filters = band_filters(256, 8000, BANDS, 200, 3600)

    assert filters.shape == (129, BANDS)
    assert np.allclose(filters.sum(axis=0) * 8000 / 256, 1, atol=0.12)
    assert (filters[10:110].sum(axis=1) > 0).all()  # 312..3400 Hz
