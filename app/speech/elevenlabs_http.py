"""ElevenLabs over HTTP streaming, by the vendor's own SDK; importing that takes half a second.

Without alignment: the SDK's `stream_with_timestamps` drops a line that it cannot read without a word, and
with it the audio, so that a caller would miss words that nobody knows of.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Self, cast

import httpx
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions
from elevenlabs.text_to_speech.types import TextToSpeechStreamRequestOutputFormat

from app import clock
from app.errors import Failure, ProviderError
from app.log import log
from app.speech.background import Background
from app.speech.connection import USUAL, Patience
from app.speech.elevenlabs_errors import NAME, Fault, as_error, of_http, retry_after_s
from app.speech.guard import LONGEST_BODY, only_audio
from app.speech.port import Piece

BASE_URL = "https://api.elevenlabs.io"
# The SDK's own pool drops an idle connection after 5 s, so that every sentence would pay for a new handshake.
LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=50, keepalive_expiry=120)
# Bytes: the SDK's 1024 would hold the first sound back for 64 ms of MP3 or 128 ms of mu-law.
CHUNK_SIZE = 160

Arrived = bytes | ProviderError | None  # None: all of it has come


class ElevenLabsHttp:
    """Speaks by ElevenLabs' HTTP streaming."""

    name = NAME
    aligned = False
    maximum_concurrent: int | None = None

    def __init__(
        self,
        *,
        api_key: str,
        voice_id: str,
        model_id: str,
        audio_format: str,
        base_url: str = BASE_URL,
        patience: Patience = USUAL,
    ) -> None:
        self.audio_format = audio_format
        self.fingerprint = f"{NAME} {voice_id} {model_id} {audio_format}"
        self._voice = (voice_id, model_id)
        self._api_key = api_key
        self._patience = patience
        # The read limit only backs up our own, which know the first piece from the others.
        timeout = httpx.Timeout(patience.first_audio_s + patience.gap_s, connect=patience.connect_s)
        self._http = httpx.AsyncClient(limits=LIMITS, timeout=timeout, base_url=base_url)
        self._sdk = AsyncElevenLabs(base_url=base_url, api_key=api_key, httpx_client=self._http)
        self._background = Background()

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._background.__aexit__(*exc)
        await self._http.aclose()

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        pieces: asyncio.Queue[Arrived] = asyncio.Queue()
        # Read as fast as it comes: the vendor counts a request as running until its last byte is taken.
        reading = self._background.start(self._read(text, pieces))
        try:
            async with aclosing(self._chunks(pieces)) as chunks, only_audio(self, chunks) as audio:
                yield audio
        finally:
            reading.cancel()

    def forget(self, call: str) -> None:
        """Nothing is kept for a call."""

    def warm(self) -> None:
        """Open a connection by a request that costs nothing; it waits in the pool."""
        self._background.start(self._warm_up())

    async def ping(self) -> None:
        try:
            answer = await self._http.get(
                f"/v1/voices/{self._voice[0]}", headers={"xi-api-key": self._api_key}
            )
        except httpx.HTTPError as error:
            raise self._failed(error) from error
        # A key may be allowed to speak but not to look at voices.
        if answer.is_error and b"missing_permissions" not in answer.content:
            raise as_error(of_http(answer.status_code, answer.content), self._api_key)

    async def _warm_up(self) -> None:
        try:
            await self.ping()
        except ProviderError as error:
            # The sentence that needs the connection will meet this too, and report it.
            log.info("speech.warming_failed", provider=NAME, kind=error.kind.value)

    async def _chunks(self, pieces: "asyncio.Queue[Arrived]") -> AsyncGenerator[bytes, None]:
        deadline = clock.now() + self._patience.connect_s + self._patience.first_audio_s
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    piece = await pieces.get()
            except TimeoutError as error:
                raise as_error(Fault(Failure.TIMEOUT, "no audio in time"), self._api_key) from error
            if piece is None:
                return
            if isinstance(piece, ProviderError):
                raise piece
            yield piece
            deadline = clock.now() + self._patience.gap_s

    async def _read(self, text: str, pieces: "asyncio.Queue[Arrived]") -> None:
        try:
            await self._request(text, pieces)
        except ProviderError as error:
            pieces.put_nowait(error)
        except ApiError as error:
            fault = of_http(error.status_code or 0, error.body)
            pieces.put_nowait(as_error(fault, self._api_key, retry_after_s(error.headers or {})))
        except httpx.HTTPError as error:
            pieces.put_nowait(self._failed(error))
        else:
            pieces.put_nowait(None)

    async def _request(self, text: str, pieces: "asyncio.Queue[Arrived]") -> None:
        voice_id, model_id = self._voice
        async with self._sdk.text_to_speech.with_raw_response.stream(
            voice_id,
            text=text,
            model_id=model_id,
            output_format=cast(TextToSpeechStreamRequestOutputFormat, self.audio_format),
            request_options=cast(
                RequestOptions, {"chunk_size": CHUNK_SIZE, "timeout_in_seconds": self._http.timeout}
            ),
        ) as response:
            self._hear_of_limits(response.headers)
            media_type = response.headers.get("content-type", "")
            if "json" in media_type or media_type.startswith("text/"):
                raise as_error(of_http(200, await _body(response.data)), self._api_key)
            async for chunk in response.data:
                pieces.put_nowait(chunk)

    def _hear_of_limits(self, headers: Mapping[str, str]) -> None:
        maximum = headers.get("maximum-concurrent-requests", "")
        if maximum.isdecimal() and int(maximum) > 0:
            self.maximum_concurrent = int(maximum)

    def _failed(self, error: httpx.HTTPError) -> ProviderError:
        kind = Failure.TIMEOUT if isinstance(error, httpx.TimeoutException) else Failure.NETWORK
        return as_error(Fault(kind, f"{type(error).__name__}: {error}"), self._api_key)


async def _body(chunks: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) >= LONGEST_BODY:
            break
    return body
