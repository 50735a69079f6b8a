"""Silence between sounds, frame by frame."""

import numpy as np

from app.audio import mulaw
from app.simulator.silence import Silences, is_voiced

VOICE = mulaw.encode((np.sin(np.arange(160) * 0.7) * 8000).astype(np.int16))
HUSH = mulaw.encode((np.sin(np.arange(160) * 0.7) * 60).astype(np.int16))


def test_a_quiet_line_is_no_sound_and_a_click_is_none() -> None:
    click = b"\x00" + b"\xff" * 159

    assert is_voiced(VOICE)
    assert not any(map(is_voiced, (HUSH, click, b"\xff" * 160, b"\x7f" * 160)))


def test_the_longest_is_counted_between_sounds_and_never_at_the_ends() -> None:
    silences = Silences()
    silences.heard(HUSH * 50)
    silences.heard(VOICE + HUSH * 3 + VOICE * 2)
    silences.lasted(100)
    silences.heard(HUSH + VOICE)
    silences.heard(HUSH * 50)

    assert silences.longest_ms == 120


def test_a_change_of_streams_is_measured_from_sound_to_sound() -> None:
    silences = Silences()
    silences.stream_changed()  # nothing has been heard: not a silence between
    silences.heard(VOICE + HUSH)
    silences.stream_changed()
    silences.lasted(300)
    silences.heard(HUSH + VOICE + HUSH * 30 + VOICE)
    silences.stream_changed()

    assert silences.between_ms == [340]
    assert silences.longest_ms == 600
