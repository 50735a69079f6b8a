"""ElevenLabs over its `stream-input` WebSocket: one socket a sentence, opened before it is needed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Self

from app.errors import Failure, ProviderError
from app.speech.connection import USUAL, Patience, tls_for
from app.speech.elevenlabs_errors import NAME
from app.speech.elevenlabs_socket import SpeechSocket, socket_url
from app.speech.elevenlabs_timing import Timeline
from app.speech.elevenlabs_warm import WarmSockets
from app.speech.guard import only_audio
from app.speech.port import Piece

BASE_URL = "https://api.elevenlabs.io"
STALE = (Failure.CLOSED, Failure.NETWORK)  # how a socket fails that died while it was kept warm
WARM_CONNECT_S = 5.0  # nobody waits for a socket that is opened ahead
PING_S = 1.0  # a refused key is told at once, a good one gets no answer


class ElevenLabs:
    """Speaks by ElevenLabs' WebSocket."""

    name = NAME
    aligned = True
    maximum_concurrent: int | None = None

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
        self._url = socket_url(base_url, voice_id, model_id, audio_format)
        tls_for(self._url)  # made here, before there are calls whose audio it would hold up
        self._api_key = api_key
        self._patience = patience
        unhurried = replace(patience, connect_s=max(patience.connect_s, WARM_CONNECT_S))
        self._warm = WarmSockets(lambda: self._open(unhurried), size=prewarm)

    async def __aenter__(self) -> Self:
        await self._warm.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._warm.__aexit__(*exc)

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._chunks(text)) as chunks, only_audio(self, chunks) as audio:
            yield audio

    def forget(self, call: str) -> None:
        """Nothing is kept for a call."""

    def warm(self) -> None:
        self._warm.fill()

    async def ping(self) -> None:
        """Open a socket and end it without a text: a refused key or plan shows, and nothing is billed."""
        socket = await self._open(self._patience)
        try:
            await socket.end()
            async with asyncio.timeout(PING_S), aclosing(socket.messages()) as silence:
                async for _ in silence:
                    pass
        except TimeoutError:
            pass
        except ProviderError as error:
            if error.kind is not Failure.CLOSED:
                raise
        finally:
            self._warm.retire(socket)

    async def _chunks(self, text: str) -> AsyncGenerator[Piece, None]:
        warm = self._warm.take()
        self._warm.fill()
        if warm is not None:
            begun = False
            try:
                async with aclosing(self._say(warm, text)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
                return
            except ProviderError as error:
                if begun or error.kind not in STALE:
                    raise
        async with aclosing(self._say(await self._open(self._patience), text)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _say(self, socket: SpeechSocket, text: str) -> AsyncGenerator[Piece, None]:
        timeline = Timeline(text, self.audio_format)
        try:
            await socket.say(text)
            async with aclosing(socket.messages()) as messages:
                async for message in messages:
                    timings = bytes(message.alignment), bytes(message.normalized_alignment)
                    for piece in timeline.place(message.audio or b"", *timings):
                        yield piece
        finally:
            self._warm.retire(socket)

    async def _open(self, patience: Patience) -> SpeechSocket:
        return await SpeechSocket.open(self._url, self._api_key, patience)
