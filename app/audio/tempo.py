"""Speech faster or slower at its own pitch, as it comes: WSOLA.

Windows of the sound are laid over each other more closely or more widely than they stood. Each is taken
where, within 10 ms of its place, it goes on most like the one before, so that the periods of a voice meet.
Source: Verhelst and Roelands, "An overlap-add technique based on waveform similarity", ICASSP 1993.
"""

import numpy as np
from numpy.typing import NDArray

SLOWEST, FASTEST = 0.25, 4.0
_WINDOW = 320  # samples, 40 ms: two periods of the deepest voice
_HOP = _WINDOW // 2
_SEEK = 80  # samples, 10 ms to either side: a period of a voice from 100 Hz on
_FADE_IN = (0.5 - 0.5 * np.cos(np.pi * (np.arange(_HOP) + 0.5) / _HOP)).astype(np.float32)
_FADE_OUT = _FADE_IN[::-1].copy()


class Tempo:
    """int16 samples at 8 kHz in, `1 / speed` times as many out."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._taken = 0  # samples fed
        self._given = 0
        self._windows = 0
        self._held: NDArray[np.float32] = np.empty(0, np.float32)
        self._held_at = 0  # where in the whole `_held` begins
        self._follows = 0  # where in the whole the last window would go on by itself

    def feed(self, pcm16: NDArray[np.int16]) -> NDArray[np.int16]:
        """Take samples of any number; up to 90 ms of them stay inside."""
        self._taken += len(pcm16)
        if self._speed == 1.0:
            return pcm16
        return self._stretch(pcm16.astype(np.float32))

    def finish(self) -> NDArray[np.int16]:
        """Give the rest; nothing may be fed afterwards."""
        if self._speed == 1.0:
            return np.empty(0, np.int16)
        wanted = round(self._taken / self._speed) - self._given
        pieces = []
        while wanted > 0:
            piece = self._stretch(np.zeros(_WINDOW, np.float32))[:wanted]
            wanted -= len(piece)
            pieces.append(piece)
        return np.concatenate(pieces) if pieces else np.empty(0, np.int16)

    def _stretch(self, samples: NDArray[np.float32]) -> NDArray[np.int16]:
        self._held = np.concatenate([self._held, samples])
        pieces = []
        while (place := round(self._windows * _HOP * self._speed)) + self._reach(place) <= self._end:
            pieces.append(self._next(place))
        self._forget(round(self._windows * _HOP * self._speed))
        stretched = np.concatenate(pieces) if pieces else np.empty(0, np.float32)
        self._given += len(stretched)
        return np.clip(np.rint(stretched), -32_768, 32_767).astype(np.int16)

    @property
    def _end(self) -> int:
        return self._held_at + len(self._held)

    def _reach(self, place: int) -> int:
        """Samples behind `place` that the window needs, and the one before it where it goes on."""
        return max(_SEEK + _WINDOW, self._follows + _WINDOW - place)

    def _next(self, place: int) -> NDArray[np.float32]:
        """Half a window of output: the last window fading out under the next one fading in."""
        leaving = self._part(self._follows)
        at = self._most_alike(place, leaving) if self._windows else 0
        piece = leaving[:_HOP] * _FADE_OUT + self._part(at)[:_HOP] * _FADE_IN
        self._follows = at + _HOP
        self._windows += 1
        return piece

    def _part(self, at: int) -> NDArray[np.float32]:
        return self._held[at - self._held_at : at - self._held_at + _WINDOW]

    def _most_alike(self, place: int, wanted: NDArray[np.float32]) -> int:
        first = max(place - _SEEK, self._held_at)
        around = self._held[first - self._held_at : place + _SEEK + _WINDOW - self._held_at]
        alike = np.correlate(around, wanted, "valid")
        power = np.concatenate([[0.0], np.cumsum(np.square(around, dtype=np.float64))])
        loudness = np.sqrt(power[_WINDOW:] - power[:-_WINDOW] + 1.0)
        return first + int(np.argmax(alike / loudness))

    def _forget(self, place: int) -> None:
        """Let go of what neither the next window nor the last one can need."""
        gone = max(0, min(place - _SEEK, self._follows) - self._held_at)
        self._held = self._held[gone:]
        self._held_at += gone
