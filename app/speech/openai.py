"""OpenAI's speech endpoint, and whatever speaks the same: streamed PCM by the vendor's own library.

Importing that library takes half a second and more: imported only when this voice is chosen.
Source: https://platform.openai.com/docs/api-reference/audio/createSpeech
The vendor ends its own models of this endpoint on 2027-01-06; compatible servers keep it.
Source: https://developers.openai.com/api/docs/deprecations
"""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Self

from httpx2 import HTTPError, Limits, TimeoutException
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpx2Client,
    Timeout,
    omit,
)

from app.errors import Failure, ProviderError
from app.log import log
from app.speech.arrivals import Arrivals
from app.speech.background import Background
from app.speech.connection import Patience
from app.speech.guard import only_audio
from app.speech.port import Piece
from app.speech.vendor_error import by_status, retry_after_s, vendor_error

NAME = "openai"
BASE_URL = "https://api.openai.com/v1"
MODEL = "gpt-4o-mini-tts"
VOICE = "alloy"  # every model of theirs has it, and most compatible servers know the name
# The vendor has no mu-law: 24 kHz, int16 little-endian, mono, without a header.
AUDIO_FORMAT = "pcm_24000"
# The library's own pool drops an idle connection after 5 s: each sentence would pay for a handshake.
LIMITS = Limits(max_connections=1000, max_keepalive_connections=50, keepalive_expiry=120)
NO_KEY = "none"  # servers on one's own machine want none, the library wants one
USUAL = Patience(first_audio_s=5.0)  # 2.5 s is usual

# `code` or `type` of a body; where it is none of these the status counts.
WORDS = {
    "insufficient_quota": Failure.QUOTA,
    "billing_hard_limit_reached": Failure.QUOTA,
    "billing_not_active": Failure.QUOTA,
    "invalid_api_key": Failure.AUTH,
    "model_not_found": Failure.BAD_REQUEST,
    # Counted in requests and tokens a minute, so fewer at once would not help.
    "rate_limit_exceeded": Failure.BUSY,
    "requests": Failure.BUSY,
    "tokens": Failure.BUSY,
    "server_error": Failure.BUSY,
}


class OpenAiSpeech:
    """Speaks by `POST {base_url}/audio/speech`."""

    name = NAME
    audio_format = AUDIO_FORMAT
    aligned = False
    maximum_concurrent: int | None = None

    def __init__(
        self,
        *,
        api_key: str,
        voice: str = VOICE,
        model: str = MODEL,
        instructions: str = "",
        base_url: str = BASE_URL,
        patience: Patience = USUAL,
    ) -> None:
        """`instructions`: how to speak, for models that take them; `tts-1` and `tts-1-hd` do not."""
        self.fingerprint = " ".join(filter(None, (NAME, base_url, voice, model, instructions)))
        self._voice = voice
        self._model = model
        self._instructions = instructions
        self._api_key = api_key
        self._patience = patience
        # The read limit only backs up our own, which know the first piece from the others.
        timeout = Timeout(patience.first_audio_s + patience.gap_s, connect=patience.connect_s)
        self._openai = AsyncOpenAI(
            api_key=api_key or NO_KEY,
            base_url=base_url,
            max_retries=0,  # whether to try again is the chain's to say
            timeout=timeout,
            http_client=DefaultAsyncHttpx2Client(limits=LIMITS, timeout=timeout),
        )
        # Read from the environment by the library; they belong to another endpoint than this.
        self._openai.organization = self._openai.project = None
        _ = self._openai.audio.speech  # imported on first use, which would block the loop
        _ = self._openai.models
        self._background = Background()

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._background.__aexit__(*exc)
        await self._openai.close()

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        arrivals = Arrivals(NAME, self._patience)
        reading = self._background.start(self._read(text, arrivals))
        try:
            due_s = self._patience.connect_s + self._patience.first_audio_s
            async with (
                aclosing(arrivals.pieces(first_audio_s=due_s)) as pieces,
                only_audio(self, pieces) as audio,
            ):
                yield audio
        finally:
            reading.cancel()  # which closes the connection, and so ends the generation

    def forget(self, call: str) -> None:
        """Nothing is kept for a call."""

    def warm(self) -> None:
        """Open a connection by a request that costs nothing; it waits in the pool."""
        self._background.start(self._warm_up())

    async def ping(self) -> None:
        try:
            await self._openai.models.list()
        except (APIError, HTTPError) as error:
            raise self._failed(error) from error
        except (ValueError, TypeError, AttributeError) as error:  # the library does not check what it parses
            raise self._error(Failure.GARBAGE, f"no list of models: {type(error).__name__}") from error

    async def _warm_up(self) -> None:
        try:
            await self.ping()
        except ProviderError as error:
            # The sentence that needs the connection will meet this too, and report it.
            log.info("speech.warming_failed", provider=NAME, kind=error.kind.value)

    async def _read(self, text: str, arrivals: Arrivals) -> None:
        try:
            await self._request(text, arrivals)
        except ProviderError as error:
            arrivals.fail(error)
        except (APIError, HTTPError) as error:
            arrivals.fail(self._failed(error))
        else:
            arrivals.end()

    async def _request(self, text: str, arrivals: Arrivals) -> None:
        async with self._openai.audio.speech.with_streaming_response.create(
            model=self._model,
            voice=self._voice,
            input=text,
            instructions=self._instructions or omit,
            response_format="pcm",
        ) as response:
            media_type = response.headers.get("content-type", "")
            if "json" in media_type or media_type.startswith("text/"):
                raise self._error(Failure.GARBAGE, f"{media_type.partition(';')[0]} instead of audio")
            async for chunk in response.iter_bytes():
                arrivals.put(chunk)

    def _failed(self, error: APIError | HTTPError) -> ProviderError:
        """Says status and code only: a vendor's prose can repeat what a caller said."""
        if isinstance(error, APIStatusError):
            words = [word for word in (error.code, error.type) if isinstance(word, str)]
            kind = next((WORDS[word] for word in words if word in WORDS), None) or _by_status(error)
            message = " ".join([f"HTTP {error.status_code}", *words[:1]])
            header = error.response.headers.get("retry-after")
            return self._error(kind, message, retry_after_s(header))
        if isinstance(error, APITimeoutError | TimeoutException):
            return self._error(Failure.TIMEOUT, "no answer in time")
        cause = error.__cause__ if isinstance(error, APIConnectionError) else error
        return self._error(Failure.NETWORK, type(cause or error).__name__)

    def _error(self, kind: Failure, message: str, retry_s: float = 0.0) -> ProviderError:
        return vendor_error(NAME, kind, message, secrets=[self._api_key], retry_after_s=retry_s)


def _by_status(error: APIStatusError) -> Failure:
    return Failure.BUSY if error.status_code == 429 else by_status(error.status_code)
