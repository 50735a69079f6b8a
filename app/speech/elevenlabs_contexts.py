"""ElevenLabs over its multi-context WebSocket: one socket a call, for calls that talk in many short turns."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Self

from app.errors import Failure, ProviderError
from app.log import log
from app.speech.background import Background
from app.speech.connection import USUAL, Patience, tls_for
from app.speech.elevenlabs_errors import NAME
from app.speech.elevenlabs_multi import ContextSocket, socket_url
from app.speech.guard import only_audio
from app.speech.port import Piece

BASE_URL = "https://api.elevenlabs.io"
STALE = (Failure.CLOSED, Failure.NETWORK)  # how a socket fails that died while it was kept
PING_S = 1.0  # a refused key is told at once, a good one gets no answer


class _Line:
    """What is kept for one call."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()  # two sentences that begin together share one socket
        self.socket: ContextSocket | None = None


class ElevenLabsContexts:
    """Speaks by ElevenLabs' multi-context WebSocket; interrupting a sentence costs no socket."""

    name = NAME
    aligned = True

    def __init__(
        self,
        *,
        api_key: str,
        voice_id: str,
        model_id: str,
        audio_format: str,
        base_url: str = BASE_URL,
        prewarm: int = 3,
        patience: Patience = USUAL,
    ) -> None:
        self.audio_format = audio_format
        self.fingerprint = f"{NAME} {voice_id} {model_id} {audio_format}"
        self.maximum_concurrent: int | None = None
        self._url = socket_url(base_url, voice_id, model_id, audio_format)
        tls_for(self._url)  # made here, before there are calls whose audio it would hold up
        self._account = (api_key, patience)
        self._prewarm = prewarm
        self._lines: dict[str, _Line] = {}
        self._ready: deque[ContextSocket] = deque()
        self._opening = 0
        self._background = Background()

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._background.__aexit__(*exc)

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._pieces(text, call)) as pieces, only_audio(self, pieces) as audio:
            yield audio

    def forget(self, call: str) -> None:
        line = self._lines.pop(call, None)
        if line is not None and line.socket is not None:
            self._background.retire(line.socket)

    def warm(self) -> None:
        self._ready = deque(socket for socket in self._ready if socket.usable)
        while self._opening + len(self._ready) < self._prewarm:
            self._opening += 1
            self._background.start(self._warm_up())

    async def ping(self) -> None:
        """Open a socket and end it without a text: a refused key shows, and nothing is billed."""
        socket = await self._connect()
        try:
            await socket.probe(PING_S)
        except ProviderError as error:
            if error.kind is not Failure.CLOSED:
                raise
        finally:
            self._background.retire(socket)

    async def _pieces(self, text: str, call: str) -> AsyncGenerator[Piece, None]:
        """Once more where a kept socket turns out dead, or the vendor ends a sentence that it did not say.

        The latter is a known race of the vendor's; it is also how an account without credits is answered.
        """
        for attempt in (1, 2):
            begun, kept = False, False
            try:
                socket, kept = await self._socket(call)
                async with aclosing(self._say(socket, text, call)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
            except ProviderError as error:
                if begun or not kept or attempt == 2 or error.kind not in STALE:
                    raise
            if begun:
                return

    async def _say(self, socket: ContextSocket, text: str, call: str) -> AsyncGenerator[Piece, None]:
        try:
            async with aclosing(socket.say(text)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        except TimeoutError:
            log.info("speech.contexts_exhausted", provider=NAME)
        finally:
            self._release(socket, call)
        spare = await self._open()
        try:
            async with aclosing(spare.say(text)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._background.retire(spare)

    async def _socket(self, call: str) -> tuple[ContextSocket, bool]:
        """The call's socket, and whether it was open before."""
        if not call:
            warm = self._take()
            return warm or await self._open(), warm is not None
        line = self._lines.setdefault(call, _Line())
        async with line.lock:
            if line.socket is not None and line.socket.usable:
                return line.socket, True
            if line.socket is not None:
                self._background.retire(line.socket)
            warm = self._take()
            line.socket = warm or await self._open()
            return line.socket, warm is not None

    def _take(self) -> ContextSocket | None:
        """The oldest socket opened ahead that still stands."""
        while self._ready:
            socket = self._ready.popleft()
            if socket.usable:
                self.warm()
                return socket
        return None

    def _release(self, socket: ContextSocket, call: str) -> None:
        """After a sentence: only what a call keeps is kept."""
        line = self._lines.get(call)
        if line is None or line.socket is not socket:
            self._background.retire(socket)

    async def _warm_up(self) -> None:
        try:
            self._ready.append(await self._open())
        except ProviderError as error:
            # The sentence that needs a socket will meet this too, and report it.
            log.info("speech.warming_failed", provider=NAME, kind=error.kind.value)
        finally:
            self._opening -= 1

    async def _open(self) -> ContextSocket:
        socket = await self._connect()
        self._background.start(socket.run())
        return socket

    async def _connect(self) -> ContextSocket:
        api_key, patience = self._account
        socket = await ContextSocket.open(self._url, api_key, self.audio_format, patience)
        self.maximum_concurrent = socket.maximum_concurrent or self.maximum_concurrent
        return socket
