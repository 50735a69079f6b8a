"""One socket of Deepgram's Aura: says one sentence after the other, as long as the vendor's limits allow.

Source: https://developers.deepgram.com/reference/text-to-speech/speak-streaming
Source: https://developers.deepgram.com/docs/streaming-text-to-speech
Source: https://developers.deepgram.com/docs/tts-troubleshooting-websocket-net-and-data-errors
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import Self
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from app import clock
from app.audio.frame import SAMPLE_RATE
from app.errors import Failure, ProviderError
from app.log import log
from app.speech.connection import CLOSE_TIMEOUT_S, Patience, dial
from app.speech.vendor_error import by_status, retry_after_s, vendor_error

NAME = "deepgram"

LONGEST_TEXT = 2000  # characters of one message
# What one socket may take within a minute; a little less, since the two clocks differ.
WINDOW_S = 61.0
MOST_FLUSHES = 20
MOST_CHARACTERS = 2400
OLDEST_S = 55 * 60.0  # the vendor ends a socket after an hour, also in mid-sentence

FLUSH = json.dumps({"type": "Flush"})
CLEAR = json.dumps({"type": "Clear"})
CLOSE = json.dumps({"type": "Close"})

# Words in an `err_code`, the header `dg-error` or the reason of a close; the first that is met counts.
PHRASES = (
    ("INVALID_AUTH", Failure.AUTH),
    ("INSUFFICIENT_PERMISSIONS", Failure.AUTH),
    ("PAYMENT_REQUIRED", Failure.QUOTA),
    ("TOO_MANY_REQUESTS", Failure.OVER_LIMIT),
    ("NET0001", Failure.CLOSED),  # idle for too long
    ("NET000", Failure.NETWORK),
    ("DATA000", Failure.BAD_REQUEST),
    ("MESSAGE000", Failure.BAD_REQUEST),
    ("BIG000", Failure.BAD_REQUEST),
)
CLOSE_CODES = {
    1000: Failure.CLOSED,
    1001: Failure.CLOSED,
    1003: Failure.BAD_REQUEST,
    1008: Failure.BAD_REQUEST,
    1009: Failure.BAD_REQUEST,
    1012: Failure.BUSY,
    1013: Failure.BUSY,
}
# A warning that the flush was not obeyed, or the text not taken: no audio will come.
REFUSING = re.compile(r"flush|exceed|limit|too (?:many|long)", re.IGNORECASE)


class Message(msgspec.Struct):
    """Everything that comes as text; what is not named here is ignored."""

    type: str = ""
    code: str = ""
    description: str = ""
    err_code: str = ""
    err_msg: str = ""
    message: str = ""

    def words(self) -> str:
        said = (self.err_code, self.code, self.err_msg, self.description, self.message)
        return ": ".join(filter(None, said))


_decode = msgspec.json.Decoder(Message).decode


def socket_url(base_url: str, model: str) -> str:
    """Where a socket is; raw mu-law, which the WebSocket sends without any container."""
    query = urlencode({"model": model, "encoding": "mulaw", "sample_rate": SAMPLE_RATE})
    return f"{base_url.rstrip('/').replace('http', 'ws', 1)}/v1/speak?{query}"


class Allowance:
    """What the vendor's limits leave of one socket."""

    def __init__(self) -> None:
        self._opened_at = clock.now()
        self._said: deque[tuple[float, int]] = deque()  # when, and how many characters

    def covers(self, characters: int) -> bool:
        now = clock.now()
        while self._said and now - self._said[0][0] > WINDOW_S:
            self._said.popleft()
        if not self._said:  # no other socket would take more
            return now - self._opened_at < OLDEST_S
        spent = sum(count for _, count in self._said)
        few = len(self._said) < MOST_FLUSHES and spent + characters <= MOST_CHARACTERS
        return few and now - self._opened_at < OLDEST_S

    def spend(self, characters: int) -> None:
        self._said.append((clock.now(), characters))


class SpeakSocket:
    """An open connection; never more than one sentence at a time."""

    def __init__(self, connection: ClientConnection, api_key: str, patience: Patience) -> None:
        self._connection = connection
        self._api_key = api_key
        self._patience = patience
        self._allowance = Allowance()
        self._warned = False  # in this sentence

    @classmethod
    async def open(cls, url: str, api_key: str, patience: Patience) -> Self:
        """Connect.

        Raises:
            ProviderError: the vendor refuses, or there is no connection in time.
        """
        try:
            connection = await dial(url, {"Authorization": f"Token {api_key}"}, patience)
        except InvalidStatus as error:
            raise _refused(error, api_key) from error
        except TimeoutError as error:
            message = f"no connection within {patience.connect_s:g} s"
            raise ProviderError(NAME, Failure.TIMEOUT, message) from error
        except (OSError, WebSocketException) as error:
            raise _error(Failure.NETWORK, f"no connection: {error}", api_key) from error
        return cls(connection, api_key, patience)

    def can_say(self, text: str) -> bool:
        """Whether it stands and the vendor would take the text on it."""
        return self._connection.state is State.OPEN and self._allowance.covers(len(text))

    async def say(self, text: str) -> None:
        self._allowance.spend(len(text))
        try:
            for part in parts(text.strip()):
                await self._connection.send(json.dumps({"type": "Speak", "text": part}))
            await self._connection.send(FLUSH)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def audio(self) -> AsyncGenerator[bytes, None]:
        """The audio of what was said, until the vendor has flushed all of it.

        Raises:
            ProviderError: by a message or close of the vendor's, or silence.
        """
        deadline = clock.now() + self._patience.first_audio_s
        self._warned = False
        while True:
            message = await self._receive(deadline)
            if isinstance(message, bytes):
                if message:
                    yield message
                    deadline = clock.now() + self._patience.gap_s
                continue
            if self._ends(message):
                return

    async def close(self) -> None:
        """Drop what was not said yet: `Close` alone would have the vendor finish, and bill, all of it."""
        try:
            with suppress(ConnectionClosed, TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._connection.send(CLEAR)
                    await self._connection.send(CLOSE)
                    while True:
                        await self._connection.recv()
            await self._connection.close()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close without a word."""
        self._connection.transport.abort()

    def _ends(self, text: str) -> bool:
        try:
            message = _decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._error(Failure.GARBAGE, "a message that cannot be read") from error
        if message.type == "Error" or message.err_code:
            raise self._error(_kind(message.words()) or Failure.BUSY, message.words())
        if message.type == "Warning":
            if REFUSING.search(message.words()):
                raise self._error(Failure.BUSY, message.words())
            if not self._warned:  # once a sentence, however often it is said
                log.info("speech.warned", provider=NAME, code=message.code)
            self._warned = True
        return message.type == "Flushed"

    async def _receive(self, deadline: float) -> str | bytes:
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.sleep(0)  # others' turn: a message that waits is had without waiting
                return await self._connection.recv()
        except TimeoutError as error:
            raise self._error(Failure.TIMEOUT, "no audio in time") from error
        except ConnectionClosed as error:
            raise self._closed(error) from error
        except UnicodeDecodeError as error:
            raise self._error(Failure.GARBAGE, "a message that cannot be read") from error

    def _closed(self, error: ConnectionClosed) -> ProviderError:
        close = error.rcvd or error.sent
        if close is None:
            return self._error(Failure.NETWORK, "the connection broke")
        kind = _kind(close.reason) or CLOSE_CODES.get(close.code, Failure.NETWORK)
        return self._error(kind, f"closed with {close.code}: {close.reason}".removesuffix(": "))

    def _error(self, kind: Failure, message: str) -> ProviderError:
        return _error(kind, message, self._api_key)


def parts(text: str) -> Iterator[str]:
    """The text in messages that the vendor takes, cut at blanks where there are any."""
    while len(text) > LONGEST_TEXT:
        cut = text.rfind(" ", 1, LONGEST_TEXT) + 1 or LONGEST_TEXT
        yield text[:cut]
        text = text[cut:]
    yield text


def _refused(error: InvalidStatus, api_key: str) -> ProviderError:
    response = error.response
    try:
        words = _decode(bytes(response.body or b"{}")).words()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        words = ""
    words = words or response.headers.get("dg-error", "")
    status = response.status_code
    kind = _kind(words) or by_status(status)
    message = f"HTTP {status}" + (f": {words}" if words else "")
    return _error(kind, message, api_key, retry_after_s(response.headers.get("retry-after")))


def _kind(words: str) -> Failure | None:
    """By the vendor's own words, whichever way they are spelled: `NET-0001`, `net0001`."""
    plain = words.upper().replace("-", "")
    return next((kind for phrase, kind in PHRASES if phrase in plain), None)


def _error(kind: Failure, message: str, api_key: str, retry_s: float = 0.0) -> ProviderError:
    return vendor_error(NAME, kind, message, secrets=[api_key], retry_after_s=retry_s)
