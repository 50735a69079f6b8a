"""Cartesia over its WebSocket: one socket for the process, a context for each sentence.

The vendor asks for it: many generations over one socket, opened before the first. It closes one that has
been idle for five minutes, which is no failure: the next call's `warm`, or its first sentence, opens another.
Mu-law comes as it is asked for. A sentence that is left is cancelled, which by the vendor's word halts what
has not begun to be generated; what is being generated is sent to its end, and thrown away here. No header
tells how many contexts the account may have at once. None of it was tried on a live account; that word times
count from the beginning of the context, and come soon after their audio, is what other clients rely on.

Source: https://docs.cartesia.ai/api-reference/tts/websocket
Source: https://docs.cartesia.ai/use-the-api/concurrency-limits-and-timeouts
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Self

from app.errors import Failure, ProviderError
from app.speech.arrivals import Arrivals
from app.speech.cartesia_pool import CartesiaSockets
from app.speech.cartesia_socket import CartesiaSocket, Sentence
from app.speech.cartesia_wire import NAME, request, socket_url
from app.speech.connection import USUAL, Patience, tls_for
from app.speech.guard import only_audio
from app.speech.port import Piece
from app.speech.word_times import WordTimes

BASE_URL = "https://api.cartesia.ai"
VOICE = "f786b574-daa5-4673-aa0c-cbe3e8534c02"  # Katie, whom the vendor recommends for voice agents
MODEL = "sonic-3.5"
STALE = (Failure.CLOSED, Failure.NETWORK)  # how a socket fails that died while it was idle


class Cartesia:
    """Speaks by Cartesia's WebSocket."""

    name = NAME
    maximum_concurrent: int | None = None

    def __init__(
        self,
        *,
        api_key: str,
        voice_id: str = VOICE,
        model_id: str = MODEL,
        language: str = "en",
        audio_format: str = "ulaw_8000",
        aligned: bool = True,
        base_url: str = BASE_URL,
        patience: Patience = USUAL,
    ) -> None:
        """`audio_format`: `ulaw_8000` or `pcm_<rate>`; `aligned` asks for the times of the words."""
        self.audio_format = audio_format
        self.aligned = aligned
        self.fingerprint = f"{NAME} {voice_id} {model_id} {language} {audio_format}"
        self._request = request(voice_id, model_id, language, audio_format, aligned=aligned)
        self._patience = patience
        url = socket_url(base_url)
        tls_for(url)  # made here, before there are calls whose audio it would hold up
        self._sockets = CartesiaSockets(lambda: CartesiaSocket.open(url, api_key, patience))

    async def __aenter__(self) -> Self:
        await self._sockets.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._sockets.__aexit__(*exc)

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._pieces(text)) as pieces, only_audio(self, pieces) as audio:
            yield audio

    def forget(self, call: str) -> None:
        """Nothing is kept for a call."""

    def warm(self) -> None:
        self._sockets.warm()

    async def ping(self) -> None:
        """Open a socket of its own: a refused key shows at the handshake, and nothing is billed."""
        await self._sockets.probe()

    async def _pieces(self, text: str) -> AsyncGenerator[Piece, None]:
        socket = self._sockets.take()
        if socket is not None:
            begun = False
            try:
                async with aclosing(self._say(socket, text)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except ProviderError as error:
                if begun or error.kind not in STALE:
                    raise
        async with aclosing(self._say(await self._sockets.connect(), text)) as pieces:
            async for piece in pieces:
                yield piece

    async def _say(self, socket: CartesiaSocket, text: str) -> AsyncGenerator[Piece, None]:
        arrivals = Arrivals(NAME, self._patience)
        sentence = Sentence(text.strip(), arrivals, self._alignment(text))
        try:
            await socket.say(sentence, self._request)
            async with aclosing(arrivals.pieces(first_audio_s=self._patience.first_audio_s)) as pieces:
                async for piece in pieces:
                    yield piece
        except ProviderError as error:
            if error.kind is Failure.TIMEOUT:
                socket.retire()
            raise
        finally:
            self._sockets.leave(socket, sentence)

    def _alignment(self, text: str) -> WordTimes | None:
        encoding, _, rate = self.audio_format.partition("_")
        sample_bytes = 1 if encoding == "ulaw" else 2
        return WordTimes(text, bytes_per_s=int(rate) * sample_bytes) if self.aligned else None
