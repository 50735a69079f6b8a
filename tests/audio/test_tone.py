"""A beep, and keys."""

import numpy as np

from app.audio import mulaw
from app.audio.tone import KEYS, keys, tone
from app.hearing.dtmf import InbandKeys


def test_a_tone_has_its_length_pitch_and_level_and_no_click() -> None:
    heard = mulaw.decode(tone(1000, 300, -12.0)).astype(float)

    assert len(heard) == 2400
    assert np.abs(np.fft.rfft(heard)).argmax() == 300  # bins of 8000 / 2400 Hz
    assert 0.24 < np.abs(heard).max() / 32768 < 0.27
    assert abs(heard[0]) < 100 and abs(heard[-1]) < 400


def test_every_key_is_heard_as_itself() -> None:
    pressed = "".join(KEYS)

    assert "".join(InbandKeys().feed(keys(pressed))) == pressed


def test_a_key_pressed_twice_is_heard_twice() -> None:
    assert InbandKeys().feed(keys("1122")) == ["1", "1", "2", "2"]
