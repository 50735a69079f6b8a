"""Telephone audio at three times its rate: what programs expect that know no 8 kHz."""

import numpy as np
from numpy.typing import NDArray

from app.audio.frame import SAMPLE_RATE

FACTOR = 3
RATE = SAMPLE_RATE * FACTOR  # Hz, what OpenAI's pcm has
_REACH = 16  # samples of 8 kHz on each side: images are 60 dB down from 4.4 kHz on
_KAISER = 6.0


def _phases() -> NDArray[np.float32]:
    """The low-pass for each of the samples that stand between two: (FACTOR, 2 * _REACH)."""
    taps = 2 * _REACH * FACTOR
    n = np.arange(taps) - taps / 2
    low_pass = np.sinc(n / FACTOR) * np.kaiser(taps + 1, _KAISER)[:-1]
    phases = low_pass.reshape(2 * _REACH, FACTOR).T
    level: NDArray[np.float32] = (phases / phases.sum(axis=1, keepdims=True)).astype(np.float32)
    return level


_PHASES = _phases()


class Upsampler:
    """int16 samples at 8 kHz in, three times as many at 24 kHz out; holds 2 ms back until `finish`."""

    def __init__(self) -> None:
        self._history: NDArray[np.int16] = np.zeros(_REACH - 1, np.int16)

    def feed(self, pcm16: NDArray[np.int16]) -> NDArray[np.int16]:
        """Take samples of any number."""
        known = np.concatenate([self._history, pcm16])
        count = len(known) - (2 * _REACH - 1)
        if count <= 0:
            self._history = known
            return np.empty(0, np.int16)
        self._history = known[count:]
        wide = known.astype(np.float32)
        out = np.empty((count, FACTOR), np.float32)
        for phase in range(FACTOR):
            out[:, phase] = np.convolve(wide, _PHASES[phase], "valid")
        return np.clip(np.rint(out), -32_768, 32_767).astype(np.int16).reshape(-1)

    def finish(self) -> NDArray[np.int16]:
        """Give what was held back; nothing may be fed afterwards."""
        return self.feed(np.zeros(_REACH, np.int16))
