"""What a caller heard, sample by sample, and what can be said about it."""

import math
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.audio import mulaw as g711
from app.audio.frame import FRAME_BYTES, FRAME_MS, SAMPLE_RATE, SILENCE
from app.simulator.silence import Silences

VOICED_DBFS = -50.0  # a 20 ms frame above it is voice; line noise and dither lie far below, speech above -35
FULL_SCALE = 32_768.0


class Recording:
    """Mu-law as the phone played it, gaps included; keeps the first `keep_s` seconds."""

    def __init__(self, keep_s: float | None = None) -> None:
        self._room = None if keep_s is None else int(keep_s * SAMPLE_RATE)
        self._mulaw = bytearray()
        self._left_at: float | None = None
        self.silences = Silences()

    def add(self, mulaw: bytes) -> None:
        self.silences.heard(mulaw)
        self._keep(mulaw)

    def leave(self, now: float) -> None:
        """From now on nothing plays, until `come_back`."""
        self._left_at = now

    def come_back(self, now: float) -> int:
        """Something plays again; gives the ms of silence that the caller has sat through."""
        if self._left_at is None:
            return 0
        frames = max(0, round((now - self._left_at) * 1000 / FRAME_MS))
        self._left_at = None
        self.silences.gaps_ms.append(frames * FRAME_MS)
        self.silences.lasted(frames * FRAME_MS)
        self._keep(SILENCE * FRAME_BYTES * frames)
        return frames * FRAME_MS

    def _keep(self, mulaw: bytes) -> None:
        if self._room is None or len(self._mulaw) < self._room:
            self._mulaw += mulaw

    @property
    def size(self) -> int:
        """Bytes so far."""
        return len(self._mulaw)

    @property
    def mulaw(self) -> bytes:
        return bytes(self._mulaw)


def write_wav(path: Path, mulaw: bytes) -> None:
    """Write mu-law as a WAV file: 8 kHz, int16, mono.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("wb") as file, wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(g711.decode(mulaw).astype("<i2").tobytes())


def voiced_ms(mulaw: bytes) -> int:
    """How much of it is louder than a quiet line, in whole frames."""
    return int((_frame_levels(mulaw) > VOICED_DBFS).sum()) * FRAME_MS


def onset_ms(mulaw: bytes) -> int:
    """Where the first sound begins, in whole frames; 0 when there is none."""
    return int((_frame_levels(mulaw) > VOICED_DBFS).argmax()) * FRAME_MS if mulaw else 0


def voiced_level_dbfs(mulaw: bytes) -> float | None:
    """The level (root mean square) of the voiced frames; None when there are none."""
    levels = _frame_levels(mulaw)
    voiced = levels[levels > VOICED_DBFS]
    return round(10 * math.log10(float(np.mean(10 ** (voiced / 10)))), 1) if voiced.size else None


def stretches(mulaw: bytes, *, pause_ms: int) -> list[tuple[int, int]]:
    """From where to where there is voice, in bytes; a shorter pause than `pause_ms` is a part of it."""
    found: list[tuple[int, int]] = []
    for frame in (_frame_levels(mulaw) > VOICED_DBFS).nonzero()[0]:
        begin, end = int(frame) * FRAME_BYTES, (int(frame) + 1) * FRAME_BYTES
        if found and begin - found[-1][1] < pause_ms * FRAME_BYTES // FRAME_MS:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _frame_levels(mulaw: bytes) -> NDArray[np.float64]:
    whole = len(mulaw) - len(mulaw) % FRAME_BYTES
    squares = np.square(g711.decode(mulaw[:whole]), dtype=np.float64).reshape(-1, FRAME_BYTES)
    power = np.maximum(squares.mean(axis=1) / FULL_SCALE**2, 1e-12)
    levels: NDArray[np.float64] = 10 * np.log10(power)
    return levels
