"""What the network hears of a line: soft lines made louder, and a little noise under all of them.

Speech at -40 dBFS, and a short word out of digital silence, are foreign to what the network was trained on:
it doubts them. With 18 dB more and pink noise at -40 dBFS it misses a fifth of the words it missed before,
hears the others 20 to 40 ms earlier, and takes nothing more for speech; measured in `bench/hearing_vad.py`.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from app.audio.frame import SAMPLE_RATE

Floats = NDArray[np.float32]

WANTED_DBFS = -28.0  # a window's level to which softer lines are raised
MOST_DB = 18.0  # of gain: brings -46 dBFS to where the network is at home; more would raise the next room
RELEASE_DB = 0.3  # by which a line's loudness falls from window to window: 9 dB a second, slower than words
NOISE_DBFS = -40.0  # pink; 12 dB below what is wanted, softer than many a line's own

_UNKNOWN_DBFS = -60.0  # a line's loudness before the first window: full gain, which its first word takes back
_NOISE_WINDOWS = 64  # before it repeats: 2 s
_LOWEST_HZ = 50.0  # beneath it, pink would be endless


class Levelling:
    """The loudness of every line, and what is done about it; lines are rows of one array."""

    def __init__(self, *, lines: int, window: int, context: int) -> None:
        """`window` and `context` are samples that are new, and repeated, in each row of `level`."""
        self._loudness = np.full(lines, _UNKNOWN_DBFS, np.float32)
        self._turns = np.zeros(lines, np.intp)  # which piece of noise is next
        self._context = context
        self._noise = _pink_windows(window, context)

    def grow(self, lines: int) -> None:
        """Room for so many lines more."""
        self._loudness = np.concatenate([self._loudness, np.full(lines, _UNKNOWN_DBFS, np.float32)])
        self._turns = np.concatenate([self._turns, np.zeros(lines, np.intp)])

    def forget(self, line: int) -> None:
        self._loudness[line] = _UNKNOWN_DBFS
        self._turns[line] = 0

    def level(self, lines: list[int], windows: Floats) -> Floats:
        """A window of each of these lines, (lines, context + window) samples within -1..1; gives new ones."""
        new = windows[:, self._context :]
        power = np.einsum("ij,ij->i", new, new) / np.float32(new.shape[1])
        level = 10 * np.log10(np.maximum(power, np.float32(1e-10)))
        loudness = self._loudness[lines] = np.maximum(level, self._loudness[lines] - np.float32(RELEASE_DB))
        turns = self._turns[lines]
        self._turns[lines] = (turns + 1) % _NOISE_WINDOWS
        gain = np.float32(10) ** (np.clip(WANTED_DBFS - loudness, 0, MOST_DB) / 20)
        levelled: Floats = windows * gain[:, None].astype(np.float32)
        levelled += self._noise[turns]
        return levelled


def _pink_windows(window: int, context: int) -> Floats:
    """Overlapping rows of one noise: (windows, context + window)."""
    length = context + window * _NOISE_WINDOWS
    spectrum = np.fft.rfft(np.random.default_rng(9).standard_normal(length))
    frequencies = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE), _LOWEST_HZ)
    pink = np.fft.irfft(spectrum / np.sqrt(frequencies), length)
    pink = (pink * 10 ** (NOISE_DBFS / 20) / np.sqrt(np.mean(pink**2))).astype(np.float32)
    sample = pink.strides[0]
    return as_strided(pink, (_NOISE_WINDOWS, context + window), (window * sample, sample), writeable=False)
