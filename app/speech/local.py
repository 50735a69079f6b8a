"""The embedded voice as a provider: no account, no key, no network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from app.speech.espeak import AUDIO_FORMAT, NAME, PHONE_VOICE, Espeak, Voice
from app.speech.guard import only_audio
from app.speech.port import Piece


class LocalSpeech:
    """Speaks by espeak-ng, in processes of its own."""

    name = NAME
    audio_format = AUDIO_FORMAT
    aligned = False
    maximum_concurrent: int | None = None  # a busy machine makes them wait, which needs no permit

    def __init__(self, *, voice: Voice = PHONE_VOICE, processes: int = 2) -> None:
        self._voice = voice
        self.fingerprint = f"{NAME} {voice}"
        self._espeak = Espeak(processes=processes)

    async def __aenter__(self) -> Self:
        await self._espeak.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._espeak.__aexit__(*exc)

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        async with self._espeak.speak(text, self._voice) as chunks, only_audio(self, chunks) as audio:
            yield audio

    def forget(self, call: str) -> None:
        """Nothing is kept for a call."""

    def warm(self) -> None:
        """Always warm: the processes run."""

    async def ping(self) -> None:
        async with self.speak("ok") as chunks:
            async for _ in chunks:
                return
