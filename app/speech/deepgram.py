"""Deepgram's Aura over its WebSocket: raw mu-law, one socket for the sentences of a call.

The vendor counts open sockets, not generations: one that nobody uses is given up soon.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Self

from app.errors import Failure, ProviderError
from app.log import log
from app.speech.background import Background
from app.speech.connection import USUAL, Patience, tls_for
from app.speech.deepgram_socket import NAME, SpeakSocket, socket_url
from app.speech.guard import only_audio
from app.speech.port import Piece

BASE_URL = "https://api.deepgram.com"
MODEL = "aura-2-thalia-en"  # voice and language are parts of the name
STALE = (Failure.CLOSED, Failure.NETWORK)  # how a socket fails that died while it was kept
IDLE_S = 20.0


class DeepgramSpeech:
    """Speaks by Deepgram."""

    name = NAME
    audio_format = "ulaw_8000"
    aligned = False
    maximum_concurrent: int | None = None

    def __init__(
        self,
        *,
        api_key: str,
        model: str = MODEL,
        base_url: str = BASE_URL,
        prewarm: int = 1,
        patience: Patience = USUAL,
    ) -> None:
        self.fingerprint = f"{NAME} {model}"
        self._url = socket_url(base_url, model)
        tls_for(self._url)  # made here, before there are calls whose audio it would hold up
        self._api_key = api_key
        self._patience = patience
        self._prewarm = prewarm
        self._ready: dict[SpeakSocket, tuple[str, asyncio.TimerHandle]] = {}  # whose, and until when
        self._opening = 0
        self._background = Background()

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for socket in list(self._ready):
            self._give_up(socket)
        await self._background.__aexit__(*exc)

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._chunks(text, call)) as chunks, only_audio(self, chunks) as audio:
            yield audio

    def forget(self, call: str) -> None:
        for socket, (whose, _) in list(self._ready.items()):
            if call and whose == call:
                self._give_up(socket)

    def warm(self) -> None:
        unowned = sum(not whose for whose, _ in self._ready.values())
        for _ in range(self._prewarm - unowned - self._opening):
            self._opening += 1
            self._background.start(self._warm_up())

    async def ping(self) -> None:
        """Open a socket and close it: a refused key shows in the handshake, and nothing is billed."""
        self._background.retire(await self._open())

    async def _chunks(self, text: str, call: str) -> AsyncGenerator[bytes, None]:
        kept = self._take(text, call)
        if kept is not None:
            begun = False
            try:
                async with aclosing(self._say(kept, text, call)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
                return
            except ProviderError as error:
                if begun or error.kind not in STALE:
                    raise
        async with aclosing(self._say(await self._open(), text, call)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _say(self, socket: SpeakSocket, text: str, call: str) -> AsyncGenerator[bytes, None]:
        whole = False
        try:
            await socket.say(text)
            async with aclosing(socket.audio()) as chunks:
                async for chunk in chunks:
                    yield chunk
            whole = True
        finally:
            # What was interrupted may have audio on its way that the next sentence would be taken for.
            if whole and call and self._background.running:
                self._keep(socket, call)
            else:
                self._background.retire(socket)
                if call and self._background.running:
                    self.warm()  # the caller who interrupted will be answered

    def _take(self, text: str, call: str) -> SpeakSocket | None:
        """A socket for the caller alone: the call's own, else one opened ahead."""
        for wanted in dict.fromkeys((call, "")):
            for socket, (whose, expiry) in list(self._ready.items()):
                if whose != wanted:
                    continue
                if socket.can_say(text):
                    del self._ready[socket]
                    expiry.cancel()
                    return socket
                self._give_up(socket)
        return None

    def _keep(self, socket: SpeakSocket, call: str) -> None:
        expiry = asyncio.get_running_loop().call_later(IDLE_S, self._give_up, socket)
        self._ready[socket] = (call, expiry)

    def _give_up(self, socket: SpeakSocket) -> None:
        _, expiry = self._ready.pop(socket)
        expiry.cancel()
        self._background.retire(socket)

    async def _warm_up(self) -> None:
        try:
            self._keep(await self._open(), "")
        except ProviderError as error:
            # The sentence that needs a socket will meet this too, and report it.
            log.info("speech.warming_failed", provider=NAME, kind=error.kind.value)
        finally:
            self._opening -= 1

    async def _open(self) -> SpeakSocket:
        return await SpeakSocket.open(self._url, self._api_key, self._patience)
