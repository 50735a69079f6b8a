"""Silence behind the last sound."""

import numpy as np
import pytest

from app.audio import mulaw
from app.audio.frame import SILENCE
from app.audio.quiet import FAINTEST, quiet_end_ms

QUIET = SILENCE * 160


def frame(level: int) -> bytes:
    """20 ms of which one sample is that loud."""
    return mulaw.encode(np.array([0] * 159 + [level], dtype=np.int16))


@pytest.mark.parametrize(
    ("audio", "quiet_ms"),
    [
        (b"", 0),
        (frame(3000), 0),
        (QUIET * 3, 60),
        (frame(3000) + QUIET * 2, 40),
        (QUIET + frame(-3000), 0),
        (frame(3000) + frame(FAINTEST // 2), 20),
        (frame(2 * FAINTEST) + QUIET, 20),
    ],
)
def test_the_silent_frames_at_the_end_are_counted(audio: bytes, quiet_ms: int) -> None:
    assert quiet_end_ms(audio) == quiet_ms
