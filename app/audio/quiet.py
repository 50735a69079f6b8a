"""How much of a piece of audio is silence behind its last sound."""

import numpy as np

from app.audio import mulaw as codec
from app.audio.frame import FRAME_BYTES, FRAME_MS

FAINTEST = (
    100  # of 32,768: -50 dBFS, below the breath at the end of a word and above the noise of a voice's silence
)
_LEVELS = np.abs(codec.decode(bytes(range(256))).astype(np.int32))
QUIET_CODES = bytes(code for code in range(256) if _LEVELS[code] < FAINTEST)


def quiet_end_ms(mulaw: bytes) -> int:
    """Of whole frames of mu-law: the silent ones at the end, in ms."""
    silent = 0
    for end in range(len(mulaw), 0, -FRAME_BYTES):
        if mulaw[end - FRAME_BYTES : end].translate(None, QUIET_CODES):
            break
        silent += 1
    return silent * FRAME_MS
