import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.audio import onset
from app.audio.onset import Onset

QUIET = np.zeros(1_000, np.int16)
LOUD = np.full(300, 5_000, np.int16)


def test_silence_behind_the_first_frame_is_shortened_by_the_delay() -> None:
    heard = Onset(44_100).trim(np.concatenate((QUIET, LOUD)))

    assert len(heard) == 1_000 + 300 - 200  # 1105 samples at 44.1 kHz
    assert np.array_equal(heard[-300:], LOUD)


def test_the_delay_is_counted_at_the_encoded_rate() -> None:
    assert len(Onset(22_050).trim(QUIET)) == 1_000 - 400


def test_sound_is_never_cut() -> None:
    for lead in (0, 100, 160, 200, 359):
        heard = Onset(44_100).trim(np.concatenate((QUIET[:lead], LOUD)))
        assert np.array_equal(heard[-300:], LOUD)
        assert len(heard) == min(lead, 160) + 300


def test_nothing_is_cut_after_the_first_sound() -> None:
    trim = Onset(44_100).trim
    trim(LOUD)

    assert len(trim(QUIET)) == 1_000


def test_noise_below_minus_60_dbfs_counts_as_silence() -> None:
    assert len(Onset(44_100).trim(np.full(1_000, -32, np.int16))) == 800
    assert len(Onset(44_100).trim(np.full(1_000, -33, np.int16))) == 1_000


@given(st.lists(st.integers(0, 300), max_size=20), st.integers(0, 1_000))
def test_any_split_gives_the_same(sizes: list[int], lead: int) -> None:
    pcm16 = np.concatenate((QUIET[:lead], LOUD, QUIET))
    pieces, trim = np.split(pcm16, np.cumsum(sizes).clip(0, len(pcm16))), Onset(44_100).trim

    assert np.array_equal(np.concatenate([trim(piece) for piece in pieces]), Onset(44_100).trim(pcm16))


def test_silence_is_told_from_sound() -> None:
    assert onset.is_silent(QUIET)
    assert onset.is_silent(QUIET[:0])
    assert not onset.is_silent(np.array([0, -32_768], np.int16))
