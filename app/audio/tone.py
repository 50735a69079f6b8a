"""A plain tone, for a beep."""

import math

import numpy as np

from app.audio import mulaw
from app.audio.frame import FRAME_MS, SAMPLE_RATE

FADE = 80  # samples, 10 ms: without it the ends click


def tone(hertz: float, duration_ms: int, level_dbfs: float = -12.0) -> bytes:
    """A sine as whole mu-law frames."""
    n = np.arange(duration_ms // FRAME_MS * FRAME_MS * SAMPLE_RATE // 1000)
    fade = np.minimum(1.0, np.minimum(n, len(n) - 1 - n) / FADE)
    amplitude = 32767 * 10 ** (level_dbfs / 20)
    return mulaw.encode((amplitude * fade * np.sin(2 * math.pi * hertz * n / SAMPLE_RATE)).astype(np.int16))
