"""Keys heard in the audio, for lines whose keys Twilio does not report; no press counts twice.

Source: ITU-T Q.23, Q.24
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.audio import mulaw as g711
from app.audio.frame import SAMPLE_RATE

KEYS = "123A456B789C*0#D"  # row by row
FREQUENCIES = (697, 770, 852, 941, 1209, 1336, 1477, 1633)  # Hz: four rows, then four columns
SAME_PRESS_MS = 500  # between the tone and Twilio's event of one press

_BLOCK, _HOP = 205, 102  # samples; 205 put all eight frequencies near the middle of a bin of 39 Hz
_LEAST_SHARE = 0.7  # of a block's energy must be in the two tones; a voice has more of them
_TWIST = 10 ** (8 / 10)  # how much stronger one of the two may be; Q.24 allows 8 dB
_LEAST_POWER = 10 ** (-42 / 10)  # mean square of a block, below any telephone's tones
_RELEASED_BLOCKS = 2  # without the tone; a shorter hole in it is damage on the line
_FULL_SCALE = 32_768.0


def _waves() -> NDArray[np.float32]:
    """(block, 16): cosines of the eight frequencies, then sines."""
    angles = 2 * math.pi / SAMPLE_RATE * np.outer(np.arange(_BLOCK), FREQUENCIES)
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


_WAVES = _waves()


class InbandKeys:
    """Finds key tones in one line's audio; a key counts once, when two blocks in a row agree on it."""

    def __init__(self) -> None:
        self._unheard = b""
        self._candidate: str | None = None
        self._held: str | None = None
        self._without = 0  # blocks since the held key was last heard

    def feed(self, mulaw: bytes) -> list[str]:
        """Take audio of any length; gives the keys that began in it."""
        return self.pressed(keys_in(self.blocks(mulaw)))

    def blocks(self, mulaw: bytes) -> list[bytes]:
        """Take audio of any length; gives what is to be looked at, best with that of other lines."""
        self._unheard += mulaw
        starts = range(0, len(self._unheard) - _BLOCK + 1, _HOP)
        blocks = [self._unheard[start : start + _BLOCK] for start in starts]
        self._unheard = self._unheard[len(blocks) * _HOP :]
        return blocks

    def pressed(self, keys: Sequence[str | None]) -> list[str]:
        """Take what was found in each of these blocks; gives the keys that began."""
        return [key or "" for key in keys if self._presses(key)]

    def skip(self) -> None:
        """Audio that holds no tone has passed; costs nothing. Between `blocks`, before its `release`."""
        self._unheard = b""

    def release(self) -> None:
        """The same, in the order of `pressed`: whatever was held is released."""
        self._candidate = self._held = None

    def _presses(self, key: str | None) -> bool:
        agreed = key is not None and key == self._candidate
        self._candidate = key
        if key is not None and key == self._held:
            self._without = 0
            return False
        self._without += 1
        if self._without >= _RELEASED_BLOCKS:
            self._held = None
        if agreed:
            self._held, self._without = key, 0
        return agreed


def keys_in(blocks: Sequence[bytes]) -> list[str | None]:
    """The key whose two tones make up each block, if any; all lines' blocks cost little more than one."""
    if not blocks:
        return []
    samples = g711.decode(b"".join(blocks)).reshape(-1, _BLOCK).astype(np.float32) / np.float32(_FULL_SCALE)
    energy = np.einsum("ij,ij->i", samples, samples)
    parts = np.square(samples @ _WAVES)
    tones = parts[:, :8] + parts[:, 8:]
    low, high = tones[:, :4].max(axis=1), tones[:, 4:].max(axis=1)
    alone = (low + high) * 2 / _BLOCK >= _LEAST_SHARE * energy
    even = (low < high * _TWIST) & (high < low * _TWIST)
    is_key = (energy >= _LEAST_POWER * _BLOCK) & alone & even
    numbers = 4 * tones[:, :4].argmax(axis=1) + tones[:, 4:].argmax(axis=1)
    return [
        KEYS[number] if yes else None for number, yes in zip(numbers.tolist(), is_key.tolist(), strict=True)
    ]


class Keypad:
    """One call's presses, from the audio and from Twilio, each once.

    As soon as Twilio has reported one key, it reports all: the audio is not believed any more.
    """

    def __init__(self) -> None:
        self.reported = False  # Twilio has told of a key
        self._unreported: deque[tuple[int, str]] = deque(maxlen=32)

    def hear(self, at_ms: int, key: str) -> bool:
        """A key was found in the audio: is it a new press?"""
        if self.reported:
            return False
        self._unreported.append((at_ms, key))
        return True

    def report(self, at_ms: int, key: str) -> bool:
        """Twilio told of a key: is it a new press, or one that was heard a moment ago?"""
        self.reported = True
        for heard_ms, heard in self._unreported:
            if heard == key and abs(at_ms - heard_ms) <= SAME_PRESS_MS:
                self._unreported.remove((heard_ms, heard))
                return False
        return True
