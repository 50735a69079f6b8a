"""A scripted voice: a real provider of the speech port that hums, stalls and fails as told."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import numpy as np

from app.audio import mulaw
from app.errors import ProviderError
from app.speech.port import Piece

RATE = 8000


def tone(hertz: float, seconds: float, rate: int = RATE) -> bytes:
    """mu-law, 8 kHz: a sine at -12 dBFS."""
    n = np.arange(round(seconds * rate))
    return mulaw.encode((8192 * np.sin(2 * math.pi * hertz * n / rate)).astype(np.int16))


class ToneVoice:
    """Says every sentence as a tone: `seconds` of `hertz`, after `delay_s`, in pieces of `piece_ms`.

    Args:
        failure: raised instead of, or with `fail_after` pieces in the midst of, the audio.
    """

    audio_format = "ulaw_8000"
    aligned = False
    maximum_concurrent: int | None = None

    def __init__(
        self,
        *,
        name: str = "tone",
        hertz: float = 440.0,
        seconds: float = 1.0,
        delay_s: float = 0.0,
        gap_s: float = 0.0,
        failure: ProviderError | None = None,
        fail_after: int = 0,
    ) -> None:
        self.name = name
        self.fingerprint = f"{name} {hertz} {seconds}"
        self.said: list[str] = []
        self.speaking = 0
        self.warmed = 0
        self._mulaw = tone(hertz, seconds)
        self._delay_s = delay_s
        self._gap_s = gap_s
        self._failure = failure
        self._fail_after = fail_after

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        self.said.append(text)
        self.speaking += 1
        try:
            yield self._pieces()
        finally:
            self.speaking -= 1

    def forget(self, call: str) -> None:
        """Nothing is kept for a call."""

    def warm(self) -> None:
        self.warmed += 1

    async def ping(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _pieces(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(self._delay_s)
        for number, start in enumerate(range(0, len(self._mulaw), 1000)):
            if self._failure is not None and number >= self._fail_after:
                raise self._failure
            yield self._mulaw[start : start + 1000]
            await asyncio.sleep(self._gap_s)
