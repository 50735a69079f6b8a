"""Inworld over HTTP streaming: one request a sentence, a line of JSON for each piece of speech.

HTTP and not the vendor's WebSocket: over a connection that is open both begin after one way there and back,
but a request ends with its answer, is refused with a status, and is over for the vendor when its connection
is closed, where closing a context would have the rest of the text spoken first. Mu-law comes as it is asked
for. No header tells how many generations the account may have at once. None of it was tried on a live
account.

Source: https://docs.inworld.ai/api-reference/ttsAPI/texttospeech/synthesize-speech-stream
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self

import httpx
import msgspec

from app.errors import Failure, ProviderError
from app.log import log
from app.speech.arrivals import Arrivals
from app.speech.background import Background
from app.speech.connection import USUAL, Patience, tls_for
from app.speech.guard import LONGEST_BODY, only_audio
from app.speech.inworld_wire import (
    NAME,
    Line,
    Words,
    decode_line,
    fault_error,
    refusal,
    samples_of,
    secrets_of,
)
from app.speech.port import Piece
from app.speech.vendor_error import retry_after_s, vendor_error
from app.speech.word_times import WordTimes

BASE_URL = "https://api.inworld.ai"
VOICE = "Dennis"  # of the vendor's own examples
MODEL = "inworld-tts-2"
STREAM_PATH = "/tts/v1/voice:stream"
VOICES_PATH = "/tts/v1/voices"
LONGEST_LINE = 4 * 1024 * 1024  # bytes; half a second of speech is 6 to 22 KB
LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=50, keepalive_expiry=120)
BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class Inworld:
    """Speaks by Inworld's HTTP stream."""

    name = NAME
    maximum_concurrent: int | None = None

    def __init__(
        self,
        *,
        api_key: str,
        voice_id: str = VOICE,
        model_id: str = MODEL,
        audio_format: str = "ulaw_8000",
        aligned: bool = False,
        base_url: str = BASE_URL,
        patience: Patience = USUAL,
    ) -> None:
        """`api_key`: as the portal shows it, base64, or with its scheme before it (`Bearer ...`).

        `aligned` asks for word timings with the audio: by the vendor's measure 100 ms later, and good for
        English.
        `audio_format`: `ulaw_8000` or `pcm_<rate>`.
        """
        self.audio_format = audio_format
        self.aligned = aligned
        self.fingerprint = f"{NAME} {voice_id} {model_id} {audio_format}"
        self._request = _request(voice_id, model_id, audio_format, aligned)
        self._secrets = secrets_of(api_key)
        self._patience = patience
        self._background = Background()
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={
                "authorization": api_key if " " in api_key else f"Basic {api_key}",
                "accept-encoding": "identity",  # a compressor would hold pieces back
            },
            limits=LIMITS,
            # The read limit only backs up our own, which know the first piece from the others.
            timeout=httpx.Timeout(patience.first_audio_s + patience.gap_s, connect=patience.connect_s),
            verify=tls_for("wss:") or True,
        )

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._background.__aexit__(*exc)
        await self._http.aclose()

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._pieces(text)) as pieces, only_audio(self, pieces) as audio:
            yield audio

    def forget(self, call: str) -> None:
        """Nothing is kept for a call."""

    def warm(self) -> None:
        """Open a connection by a request that costs nothing; it waits in the pool."""
        self._background.start(self._warm_up())

    async def ping(self) -> None:
        """Ask for the voices there are: a refused key shows, and nothing is billed."""
        try:
            answer = await self._http.get(VOICES_PATH)
        except httpx.HTTPError as error:
            raise self._failed(error) from error
        if answer.is_error:
            raise self._refused(answer, answer.content)

    async def _warm_up(self) -> None:
        try:
            await self.ping()
        except ProviderError as error:
            # The sentence that needs the connection will meet this too, and report it.
            log.info("speech.warming_failed", provider=NAME, kind=error.kind.value)

    async def _pieces(self, text: str) -> AsyncGenerator[Piece, None]:
        arrivals = Arrivals(NAME, self._patience)
        reading = self._background.start(self._read(text, arrivals))
        first_audio_s = self._patience.connect_s + self._patience.first_audio_s
        try:
            async with aclosing(arrivals.pieces(first_audio_s=first_audio_s)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            reading.cancel()  # which closes the connection of an answer that has not ended

    async def _read(self, text: str, arrivals: Arrivals) -> None:
        try:
            await self._ask(text, arrivals)
        except ProviderError as error:
            arrivals.fail(error)
        except httpx.HTTPError as error:
            arrivals.fail(self._failed(error))
        else:
            arrivals.end()

    async def _ask(self, text: str, arrivals: Arrivals) -> None:
        """Send the request; once again where the pool's connection had died unseen."""
        fresh = False

        async def trace(event: str, _info: dict[str, Any]) -> None:
            nonlocal fresh
            fresh = fresh or event == "connection.connect_tcp.started"

        try:
            await self._stream(text, arrivals, {"trace": trace})
        except BROKEN:
            if fresh or arrivals.begun:
                raise
            await self._stream(text, arrivals, {})

    async def _stream(self, text: str, arrivals: Arrivals, extensions: dict[str, Any]) -> None:
        encoding, rate = _encoding(self.audio_format)
        alignment = WordTimes(text, bytes_per_s=rate if encoding == "ulaw" else 2 * rate)
        body = {"text": text.strip(), **self._request}
        async with self._http.stream("POST", STREAM_PATH, json=body, extensions=extensions) as answer:
            if answer.status_code != 200:
                raise self._refused(answer, await _head(answer))
            async with aclosing(self._lines(answer)) as lines:
                async for line in lines:
                    self._take(line, arrivals, alignment)
        if arrivals.begun and self.aligned:
            arrivals.put(alignment.whole())

    def _take(self, line: Line, arrivals: Arrivals, alignment: WordTimes) -> None:
        if fault := line.fault:
            raise fault_error(fault, self._secrets)
        if line.result is None:
            return
        if content := line.result.audio_content:
            try:
                samples = samples_of(content, *_encoding(self.audio_format))
            except ValueError as error:
                raise self._error(Failure.GARBAGE, f"{error} instead of {self.audio_format}") from error
            alignment.audio(samples)
            arrivals.put(samples)
        if self.aligned:
            if line.result.timestamp_info and (words := line.result.timestamp_info.word_alignment):
                _align(words, alignment)
            if claim := alignment.due():
                arrivals.put(claim)

    async def _lines(self, answer: httpx.Response) -> AsyncGenerator[Line, None]:
        rest = b""
        async for chunk in answer.aiter_bytes():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                if line.strip():
                    yield self._decode(line)
            if len(rest) > LONGEST_LINE:
                raise self._error(Failure.GARBAGE, "a line without an end")
        if rest.strip():
            yield self._decode(rest)

    def _decode(self, line: bytes) -> Line:
        try:
            return decode_line(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise self._error(Failure.GARBAGE, "a line that cannot be read") from error

    def _refused(self, answer: httpx.Response, body: bytes) -> ProviderError:
        wait_s = retry_after_s(answer.headers.get("retry-after"))
        return refusal(answer.status_code, body, self._secrets, wait_s)

    def _failed(self, error: httpx.HTTPError) -> ProviderError:
        kind = Failure.TIMEOUT if isinstance(error, httpx.TimeoutException) else Failure.NETWORK
        return self._error(kind, f"{type(error).__name__}: {error}")

    def _error(self, kind: Failure, message: str) -> ProviderError:
        return vendor_error(NAME, kind, message, secrets=self._secrets)


def _request(voice_id: str, model_id: str, audio_format: str, aligned: bool) -> dict[str, object]:
    encoding, rate = _encoding(audio_format)
    audio = {"audioEncoding": "MULAW" if encoding == "ulaw" else "PCM", "sampleRateHertz": rate}
    request: dict[str, object] = {"voiceId": voice_id, "modelId": model_id, "audioConfig": audio}
    if aligned:  # in step: what trails behind the audio would tell of it too late
        request |= {"timestampType": "WORD", "timestampTransportStrategy": "SYNC"}
    return request


def _encoding(audio_format: str) -> tuple[str, int]:
    """`ulaw` or `pcm`, and the rate; as a WAV header names them."""
    encoding, _, rate = audio_format.partition("_")
    return encoding, int(rate)


def _align(words: Words, alignment: WordTimes) -> None:
    unsure = {detail.word_index for detail in words.phonetic_details or () if detail.is_partial}
    times = zip(words.words, words.word_start_time_seconds, words.word_end_time_seconds, strict=False)
    for index, (word, start_s, end_s) in enumerate(times):
        alignment.word(word, start_s, end_s, certain=index not in unsure)


async def _head(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) >= LONGEST_BODY:
            break
    return body
