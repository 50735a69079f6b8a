"""One espeak-ng child process, seen from the parent: sentences go in, the PCM of each comes out by itself."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Self

from app.errors import Failure, ProviderError
from app.speech import espeak_worker
from app.speech.espeak_worker import HEADER, Kind, Packet, pack

START_TIMEOUT_S = 10.0  # 0.1 s on an idle machine
STALL_TIMEOUT_S = 10.0  # the child answers in milliseconds, unless the machine is drowning
STOP_TIMEOUT_S = 1.0

Listener = asyncio.Queue[Packet | None]  # one sentence; None: the process has died


class EspeakProcess:
    """A child process and the sentences it has been given; somebody must run `serve`."""

    def __init__(self, process: Process, provider: str) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._provider = provider
        self._down = process.stdin
        self._up = process.stdout
        self._listeners: dict[int, Listener] = {}
        self._count = 0
        self.alive = True

    @classmethod
    async def start(cls, provider: str) -> Self:
        """Start a child and wait until it can speak.

        Raises:
            ProviderError: it does not come up.
        """
        path = str(Path(espeak_worker.__file__))
        # By its path, without our folder in front of the standard library's.
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", path, stdin=PIPE, stdout=PIPE
            )
        except OSError as error:  # no memory, too many processes
            raise ProviderError(provider, Failure.NETWORK, f"no espeak-ng process: {error}") from error
        child = cls(process, provider)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                ready = await child._receive()
        except BaseException as error:
            await child.stop()
            if not isinstance(error, TimeoutError):
                raise
            ready = None
        if ready is None:
            await child.stop()
            raise ProviderError(provider, Failure.NETWORK, "the espeak-ng process does not start")
        return child

    @property
    def load(self) -> int:
        """Sentences in work."""
        return len(self._listeners)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def serve(self) -> None:
        """Hand out what the process says; returns when it has died, which every sentence is told."""
        try:
            while (packet := await self._receive()) is not None:
                # Nobody listens to what was dropped.
                if listener := self._listeners.get(packet.sentence):
                    listener.put_nowait(packet)
        finally:
            self.alive = False
            for listener in self._listeners.values():
                listener.put_nowait(None)

    async def stop(self) -> None:
        """End the process: politely, by the end of its input, else by force."""
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
        """Give the child a sentence; its PCM comes as it is made, and waits here for a slow reader."""
        self._count += 1
        sentence = self._count
        listener = self._listeners[sentence] = Listener()
        self._send(Kind.SPEAK, sentence, order)
        try:
            async with aclosing(self._chunks(listener)) as chunks:
                yield chunks
        finally:
            del self._listeners[sentence]
            self._send(Kind.DROP, sentence)

    async def _chunks(self, listener: Listener) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with asyncio.timeout(STALL_TIMEOUT_S):
                    packet = await listener.get()
            except TimeoutError as error:
                raise self._error(Failure.TIMEOUT, f"no audio for {STALL_TIMEOUT_S:g} s") from error
            match packet:
                case None:
                    raise self._error(Failure.CLOSED, "the espeak-ng process died")
                case Packet(Kind.AUDIO, _, pcm16):
                    yield pcm16
                case Packet(Kind.FAILED, _, reason):
                    raise self._error(Failure.BAD_REQUEST, reason.decode())
                case _:
                    return

    async def _receive(self) -> Packet | None:
        try:
            kind, sentence, size = HEADER.unpack(await self._up.readexactly(HEADER.size))
            return Packet(kind, sentence, await self._up.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def _send(self, kind: Kind, sentence: int, payload: bytes = b"") -> None:
        if self.alive:  # a pipe that breaks right now swallows this, and `serve` tells the sentence
            self._down.write(pack(kind, sentence, payload))

    def _error(self, kind: Failure, message: str) -> ProviderError:
        return ProviderError(self._provider, kind, message)
