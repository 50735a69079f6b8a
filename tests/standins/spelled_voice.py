"""A voice in this process that spells its text, tells its place in it or not, and fails where told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from app.errors import Failure, ProviderError
from app.speech.port import Piece, Spoken
from app.speech.words import spans
from tests.standins.spelled import CHARACTER_MS, spelled


@dataclass(frozen=True)
class Fault:
    """How one generation ends."""

    after: int  # bytes of audio
    kind: Failure | None = None  # None: nothing more comes, for ever


class SpelledVoice:
    """The n-th sentence it is given fails by the n-th fault; when there are no more, nothing fails."""

    audio_format = "ulaw_8000"
    maximum_concurrent: int | None = None
    _generations = 0  # of all voices, so that no two are alike

    def __init__(
        self,
        name: str,
        *,
        aligned: bool,
        faults: Sequence[Fault | None] = (),
        chunk: int = 700,
        delay_s: float = 0.0,
    ) -> None:
        self.name = name
        self.aligned = aligned
        self.fingerprint = name
        self.said: list[str] = []
        self.speaking = 0
        self.forgotten: list[str] = []
        self.faults = list(faults)
        self._chunk = chunk
        self._delay_s = delay_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        self.said.append(text)
        self.speaking += 1
        try:
            yield self._pieces(text.strip())
        finally:
            self.speaking -= 1

    def forget(self, call: str) -> None:
        self.forgotten.append(call)

    def warm(self) -> None:
        """Always warm."""

    async def ping(self) -> None:
        if self.faults and self.faults[0] is not None:
            raise ProviderError(self.name, self.faults[0].kind or Failure.TIMEOUT)

    async def _pieces(self, text: str) -> AsyncIterator[Piece]:
        SpelledVoice._generations += 1
        fault = self.faults.pop(0) if self.faults else None
        mulaw = spelled(SpelledVoice._generations, text)
        if fault is not None:
            mulaw = mulaw[: fault.after]
        await asyncio.sleep(self._delay_s)
        if self.aligned:  # all at once, as vendors do: also of what is never going to come
            for _, end in spans(text):
                yield Spoken(end, end * CHARACTER_MS)
        for start in range(0, len(mulaw), self._chunk):
            yield mulaw[start : start + self._chunk]
            await asyncio.sleep(0)
        if fault is not None and fault.kind is None:
            await asyncio.sleep(1e9)
        if fault is not None and fault.kind is not None:
            raise ProviderError(self.name, fault.kind, "as told")
