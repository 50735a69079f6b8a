"""Takes the encoder's and decoder's delay off the head of a stream, when it is silence."""

import numpy as np
from numpy.typing import NDArray

from app.audio.frame import FRAME_BYTES, SAMPLE_RATE

# LAME delays by 576 and the decoder by 529 samples of the encoded rate: 25 ms at 44.1 kHz, 50 at 22.05 kHz.
_DELAY_SAMPLES = 1_105
# -60 dBFS: in four encoded voices the delay stayed below it, and their first sound did not.
_SILENCE_PEAK = 32


class Onset:
    """Shortens leading silence by the delay, once, at the head of a stream.

    The first 20 ms pass at once, silent or not: they are the frame that can leave when the first MP3 frame is
    complete. What is dropped is silence behind them, as long as no sound has been met.
    """

    def __init__(self, rate: int) -> None:
        """`rate`: of the encoded stream, Hz."""
        self._pass = FRAME_BYTES
        self._left = _DELAY_SAMPLES * SAMPLE_RATE // rate

    def trim(self, pcm16: NDArray[np.int16]) -> NDArray[np.int16]:
        """Take the next samples at 8 kHz, any number; give those that shall be heard."""
        if not self._left:
            return pcm16
        loud = np.flatnonzero((pcm16 > _SILENCE_PEAK) | (pcm16 < -_SILENCE_PEAK))
        quiet = int(loud[0]) if loud.size else len(pcm16)
        kept = min(self._pass, quiet)
        dropped = min(quiet - kept, self._left)
        self._pass -= kept
        self._left = 0 if loud.size else self._left - dropped
        return np.concatenate((pcm16[:kept], pcm16[kept + dropped :])) if dropped else pcm16


def is_silent(pcm16: NDArray[np.int16]) -> bool:
    """Whether nobody would hear any of it."""
    return not bool(((pcm16 > _SILENCE_PEAK) | (pcm16 < -_SILENCE_PEAK)).any())
