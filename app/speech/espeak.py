"""The embedded voice: a few espeak-ng processes, shared by everybody who has something to say."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Self

from app.errors import ConfigError, Failure, ProviderError
from app.log import log
from app.speech.background import Background
from app.speech.espeak_process import EspeakProcess
from app.speech.espeak_worker import SAMPLE_RATE

NAME = "local"
AUDIO_FORMAT = f"pcm_{SAMPLE_RATE}"
RESTART_PAUSE_S = 0.5  # between the death of a process and the next, so that a broken one cannot spin
LONGEST_TEXT = 5000  # characters; a sentence has 250. What comes of it, some 15 MB, is held in memory


@dataclass(frozen=True, slots=True)
class Voice:
    """How the embedded voice sounds; the defaults are meant for a telephone."""

    voice: str = "en-us"  # any name of espeak-ng: `en-gb`, `de`, `en-us+f3` for another speaker
    rate: int = 160  # words per minute
    pitch: int = 45  # 0..99


PHONE_VOICE = Voice()


class Espeak:
    """Speaks many texts at once, each to its own listener, with the same few processes."""

    def __init__(self, *, processes: int = 2) -> None:
        self._slots: list[EspeakProcess | None] = [None] * processes
        self._background = Background()
        self._installed = importlib.util.find_spec("espeakng_loader") is not None

    async def __aenter__(self) -> Self:
        """Start the processes.

        Raises:
            ConfigError: the library is not installed.
            ProviderError: it does not start.
        """
        if not self._installed:
            raise ConfigError(
                "espeakng_loader is missing (embedded voice); it comes with the extra local-voice"
            )
        await self._background.__aenter__()
        first_tries: asyncio.Queue[ProviderError | None] = asyncio.Queue()
        try:
            for slot in range(len(self._slots)):
                self._background.start(self._keep(slot, first_tries))
            failures = [await first_tries.get() for _ in self._slots]
            for failure in filter(None, failures):
                raise failure
        except BaseException:
            await self._background.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._background.__aexit__(*exc)

    @asynccontextmanager
    async def speak(self, text: str, voice: Voice = PHONE_VOICE) -> AsyncIterator[AsyncIterator[bytes]]:
        """Say `text`: yields PCM (int16 mono, 22.05 kHz) as it is made.

        Raises:
            ProviderError: the voice is unknown, the text too long, or the process died.
        """
        if len(text) > LONGEST_TEXT:
            message = f"text of {len(text)} characters, expected at most {LONGEST_TEXT}"
            raise ProviderError(NAME, Failure.BAD_REQUEST, message)
        order = json.dumps({"text": text, **asdict(voice)}).encode()
        async with self._least_busy().speak(order) as chunks:
            yield chunks

    @property
    def pids(self) -> list[int]:
        """The processes that can speak now."""
        return [process.pid for process in self._slots if process is not None and process.alive]

    def _least_busy(self) -> EspeakProcess:
        ready = [process for process in self._slots if process is not None and process.alive]
        if not ready:
            raise ProviderError(NAME, Failure.BUSY, "every espeak-ng process has died and is being restarted")
        return min(ready, key=lambda process: process.load)

    async def _keep(self, slot: int, first_tries: "asyncio.Queue[ProviderError | None]") -> None:
        """Keep one process alive: while it serves, and again when it has died."""
        while True:
            try:
                process = await EspeakProcess.start(NAME)
            except ProviderError as error:
                first_tries.put_nowait(error)
                log.error("speech.process_not_started", provider=NAME, reason=error.message)
            else:
                first_tries.put_nowait(None)
                await self._serve(slot, process)
            await asyncio.sleep(RESTART_PAUSE_S)

    async def _serve(self, slot: int, process: EspeakProcess) -> None:
        self._slots[slot] = process
        try:
            await process.serve()
            log.warning("speech.process_died", provider=NAME, pid=process.pid)
        finally:
            self._slots[slot] = None
            await process.stop()


async def synthesize(text: str, voice: Voice = PHONE_VOICE) -> bytes:
    """All of one text as PCM (int16 mono, 22.05 kHz), by a process of its own: for tools, not for calls."""
    async with Espeak(processes=1) as espeak, espeak.speak(text, voice) as chunks:
        return b"".join([chunk async for chunk in chunks])
