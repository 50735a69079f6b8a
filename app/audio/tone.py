"""Plain tones: a beep, and the pairs of tones that stand for keys."""

import math

import numpy as np
from numpy.typing import NDArray

from app.audio import mulaw
from app.audio.frame import FRAME_MS, SAMPLE_RATE

FADE = 80  # samples, 10 ms: without it the ends click
KEY_MS, PAUSE_MS = 100, 100  # media ms; twice what exchanges must accept, for lines that cut the ends
# Hz of the row and of the column of every key. Source: ITU-T Q.23.
KEYS = {
    key: (low, high)
    for low, row in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, key in zip((1209, 1336, 1477, 1633), row, strict=True)
}


def tone(hertz: float, duration_ms: int, level_dbfs: float = -12.0) -> bytes:
    """A sine as whole mu-law frames."""
    return mulaw.encode(_sine(hertz, duration_ms, level_dbfs).astype(np.int16))


def keys(pressed: str) -> bytes:
    """What another telephone's exchange takes for these keys (0-9 A-D * #), as whole mu-law frames."""
    pieces = []
    for key in pressed:
        pair = sum((_sine(hertz, KEY_MS, -10.0) for hertz in KEYS[key]), np.zeros(1))
        pieces += [mulaw.encode(pair.astype(np.int16)), tone(0, PAUSE_MS)]
    return b"".join(pieces)


def _sine(hertz: float, duration_ms: int, level_dbfs: float) -> NDArray[np.float64]:
    n = np.arange(duration_ms // FRAME_MS * FRAME_MS * SAMPLE_RATE // 1000)
    fade = np.minimum(1.0, np.minimum(n, len(n) - 1 - n) / FADE)
    amplitude = 32767 * 10 ** (level_dbfs / 20)
    sine: NDArray[np.float64] = amplitude * fade * np.sin(2 * math.pi * hertz * n / SAMPLE_RATE)
    return sine
