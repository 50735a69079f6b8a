"""The embedded voice from outside: worker processes that speak, shared by everybody who has something to say."""

import asyncio
import importlib.util
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.errors import ConfigError, Failure, ProviderError
from app.log import log
from app.speech import espeak_worker
from app.speech.background import Background
from app.speech.espeak_worker import HEADER, SAMPLE_RATE, Kind, pack

NAME = "local"
AUDIO_FORMAT = f"pcm_{SAMPLE_RATE}"
START_TIMEOUT_S = 10.0  # 0.1 s on an idle machine
STALL_TIMEOUT_S = 10.0  # the worker answers in milliseconds, unless the machine is drowning
STOP_TIMEOUT_S = 1.0
RESTART_PAUSE_S = 1.0  # after a worker that could not start, or died
LONGEST_TEXT = 5000  # characters: a sentence has 250; what comes out, some 15 MB, is held in memory


@dataclass(frozen=True, slots=True)
class Voice:
    """How the embedded voice sounds; the defaults are the clearest over a telephone."""

    name: str = "en-us"  # any of espeak-ng's: `en-gb`, `de`, `en-us+f3` for another speaker
    rate: int = 160  # words per minute
    pitch: int = 45  # 0..99


DEFAULT_VOICE = Voice()


@asynccontextmanager
async def _failing_soft() -> AsyncIterator[None]:
    """A pipe to a process that has just died: its reader finds out and says so."""
    with suppress(ConnectionError, RuntimeError):
        yield


class _Worker:
    """One child process and the sentences it has been given."""

    def __init__(self, process: Process) -> None:
        assert process.stdin and process.stdout
        self._process = process
        self._down = process.stdin
        self._up = process.stdout
        self._sentences: dict[int, asyncio.Queue[espeak_worker.Packet | None]] = {}
        self._count = 0
        self.alive = True

    @classmethod
    async def start(cls) -> Self:
        """Raises ProviderError when it does not come up."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(Path(espeak_worker.__file__)), stdin=PIPE, stdout=PIPE
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                ready = await worker._receive()
        except TimeoutError:
            ready = None
        except asyncio.CancelledError:
            await worker.stop()
            raise
        if ready is None:
            await worker.stop()
            raise ProviderError(NAME, Failure.NETWORK, "the espeak-ng worker process does not start")
        return worker

    @property
    def load(self) -> int:
        return len(self._sentences)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def serve(self) -> None:
        """Hand out what the process says; returns when it has died, and then every sentence has been told."""
        try:
            while (packet := await self._receive()) is not None:
                # What nobody waits for any more was dropped.
                if listener := self._sentences.get(packet.sentence):
                    listener.put_nowait(packet)
        finally:
            self.alive = False
            for listener in self._sentences.values():
                listener.put_nowait(None)

    async def stop(self) -> None:
        """End the process: politely by the end of its input, else by force."""
        self.alive = False
        self._down.close()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                while await self._up.read(65536):
                    pass
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    @asynccontextmanager
    async def speak(self, order: bytes) -> AsyncIterator[AsyncIterator[bytes]]:
        self._count += 1
        sentence = self._count
        listener = self._sentences[sentence] = asyncio.Queue()
        chunks = self._chunks(listener)
        try:
            async with _failing_soft():
                self._down.write(pack(Kind.SPEAK, sentence, order))
            yield chunks
        finally:
            await chunks.aclose()
            del self._sentences[sentence]
            async with _failing_soft():
                self._down.write(pack(Kind.DROP, sentence))

    async def _chunks(self, listener: "asyncio.Queue[espeak_worker.Packet | None]") -> "AsyncGenerator":
        ...


async def synthesize(text: str, voice: Voice = DEFAULT_VOICE) -> bytes: ...
