"""One `multi-stream-input` socket of ElevenLabs: several sentences at once, each in a context of its own.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input
Source: https://elevenlabs.io/docs/eleven-api/guides/how-to/websockets/multi-context-web-socket
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import count
from typing import Self
from urllib.parse import quote, urlencode

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from app import clock
from app.errors import Failure, ProviderError
from app.log import log
from app.speech.arrivals import Arrivals
from app.speech.connection import CLOSE_TIMEOUT_S, Patience
from app.speech.elevenlabs_errors import NAME, Fault, as_error, of_close, of_frame
from app.speech.elevenlabs_socket import connected
from app.speech.elevenlabs_timing import Timeline
from app.speech.port import Piece

MOST_CONTEXTS = 4  # the vendor ends the whole socket at the sixth; a keep-alive may count as one
PLACE_S = 0.3  # that a sentence waits for a context to end, before it takes a socket of its own
INACTIVITY_S = 180  # the most that the vendor grants without a text
KEEP_ALIVE_S = 60.0
TICK_S = 1.0  # between two looks at contexts that are open
# Keep-alives after which a socket is given up: one that was opened ahead for nobody, one that has spoken.
MOST_QUIET = {False: 2, True: 15}
STUCK_S = 5.0  # for which an abandoned context may go unanswered before the socket is given up
LIMIT_HEADER = "maximum-concurrent-requests"

_numbers = count(1)  # for the life of the process: no id comes twice, on whatever socket


class Message(msgspec.Struct):
    """Everything the vendor sends; both spellings are met, what is not named here is ignored."""

    audio: bytes | None = None
    final: bool | None = msgspec.field(default=None, name="isFinal")
    is_final: bool | None = None
    context: str | None = msgspec.field(default=None, name="contextId")
    context_id: str | None = None
    alignment: msgspec.Raw = msgspec.Raw()
    error: object = None
    message: object = None


_decode = msgspec.json.Decoder(Message).decode


def socket_url(base_url: str, voice_id: str, model_id: str, audio_format: str) -> str:
    """Where the socket of one voice is; `auto_mode` begins at once, not at 120 characters."""
    query = urlencode(
        {
            "model_id": model_id,
            "output_format": audio_format,
            "auto_mode": "true",
            "sync_alignment": "true",
            "inactivity_timeout": INACTIVITY_S,
        }
    )
    host = base_url.rstrip("/").replace("http", "ws", 1)
    return f"{host}/v1/text-to-speech/{quote(voice_id, safe='')}/multi-stream-input?{query}"


class Context:
    """One sentence at the vendor, from its text to its final message, whoever still listens."""

    def __init__(self, name: str, text: str, audio_format: str, patience: Patience) -> None:
        self.name = name
        self.arrivals = Arrivals(NAME, patience)
        self.sounded = False  # its first audio has come: from then on it may be closed
        self.closed = False  # we have said so
        self.abandoned_at: float | None = None
        self._timeline = Timeline(text, audio_format)

    def take(self, message: Message) -> None:
        if message.audio and self.abandoned_at is None:
            for piece in self._timeline.place(message.audio, bytes(message.alignment)):
                self.arrivals.put(piece)


class ContextSocket:
    """A connection with its contexts; `run` must be running for them to get anything."""

    def __init__(
        self, connection: ClientConnection, api_key: str, audio_format: str, patience: Patience
    ) -> None:
        self._connection = connection
        self._api_key = api_key
        self._audio_format = audio_format
        self._patience = patience
        self._contexts: dict[str, Context] = {}
        self._places = asyncio.Semaphore(MOST_CONTEXTS)
        self._quiet = 0  # keep-alives in a row
        self._waiting: asyncio.Timeout | None = None  # of the reader, for the next message
        self._used = self._stuck = False
        self._ended: ProviderError | None = None  # how, once it has

    @classmethod
    async def open(cls, url: str, api_key: str, audio_format: str, patience: Patience) -> Self:
        """Connect; whether key and voice are good shows only later.

        Raises:
            ProviderError: the vendor refuses, or there is no connection in time.
        """
        connection = await connected(url, api_key, patience)
        return cls(connection, api_key, audio_format, patience)

    @property
    def usable(self) -> bool:
        return self._connection.state is State.OPEN and not self._stuck and self._ended is None

    @property
    def maximum_concurrent(self) -> int | None:
        """What the handshake told of the workspace's limit, if it did."""
        response = self._connection.response
        value = response.headers.get(LIMIT_HEADER, "") if response else ""
        return int(value) if value.isascii() and value.isdecimal() else None

    async def run(self) -> None:
        """Read until the socket ends; no context outlives it."""
        fault = self._error(Fault(Failure.CLOSED, "the socket was given up"))
        try:
            while True:
                await self._take(await self._receive())
        except ProviderError as error:
            fault = error
            if error.kind is not Failure.CLOSED or self._contexts:
                log.info("speech.socket_ended", provider=NAME, kind=error.kind.value)
        finally:
            self._ended = fault
            for context in self._contexts.values():
                context.arrivals.fail(fault)
            self.abort()

    async def say(self, text: str) -> AsyncGenerator[Piece, None]:
        """One sentence in a context of its own; leaving it ends that context and no other.

        Raises:
            TimeoutError: on the first step, when all contexts are taken.
            ProviderError: the socket has ended, or nothing came in time.
        """
        async with asyncio.timeout(PLACE_S):
            await self._places.acquire()
        if self._ended is not None:
            raise self._ended
        self._used, self._quiet = True, 0
        context = Context(f"s{next(_numbers)}", text, self._audio_format, self._patience)
        self._contexts[context.name] = context
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(clock.now() + TICK_S)
        try:
            await self._send({"text": text.strip() + " ", "context_id": context.name, "flush": True})
            async for piece in context.arrivals.pieces(first_audio_s=self._patience.first_audio_s):
                yield piece
        finally:
            self._abandon(context)

    async def probe(self, within_s: float) -> None:
        """Wait whether the vendor refuses key or voice, which it does without being asked.

        Raises:
            ProviderError: it does.
        """
        await self._send({"close_socket": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    message = await self._read()
                    if message.error is not None:
                        raise as_error(of_frame(message.error, message.message), self._api_key)

    async def close(self) -> None:
        """Tell the vendor, and wait a little for it to end the socket."""
        try:
            with suppress(ConnectionClosed, TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._connection.send(json.dumps({"close_socket": True}))
                    await self._connection.wait_closed()
            await self._connection.close()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close without a word."""
        self._connection.transport.abort()

    async def _take(self, message: Message | None) -> None:
        if message is None:
            await self._tidy()
            return
        name = message.context if message.context is not None else message.context_id
        context = self._contexts.get(name or "")
        if message.error is not None:
            self._refuse(of_frame(message.error, message.message), context)
        if context is None:
            return  # of a sentence that is over, or of nobody
        context.take(message)
        if message.final or message.is_final:
            self._finish(context)
        elif message.audio:
            context.sounded = True
            # Not before: a close that overtakes its text leaves the sentence unsaid. And after it nothing
            # but the final message can be meant by the end.
            await self._close(context)

    def _refuse(self, fault: Fault, blamed: Context | None) -> None:
        """An error ends the whole socket: the one it is about hears why, the others may try again."""
        if blamed is None:
            raise as_error(fault, self._api_key)
        blamed.arrivals.fail(as_error(fault, self._api_key))
        self._finish(blamed)
        raise self._error(Fault(Failure.CLOSED, "ended by an error of another sentence"))

    def _finish(self, context: Context) -> None:
        if self._contexts.pop(context.name, None) is not None:
            context.arrivals.end()
            self._places.release()

    def _abandon(self, context: Context) -> None:
        """The listener has gone. What was sent is still generated; the context ends with its first audio."""
        if context.name in self._contexts and context.abandoned_at is None:
            context.abandoned_at = clock.now()

    async def _tidy(self) -> None:
        """End contexts that nobody listens to and that never sounded; they would hold their places."""
        now = clock.now()
        for context in list(self._contexts.values()):
            if context.abandoned_at is None:
                continue
            if now - context.abandoned_at > self._patience.first_audio_s:
                await self._close(context)
            self._stuck |= now - context.abandoned_at > self._patience.first_audio_s + STUCK_S

    async def _close(self, context: Context) -> None:
        if not context.closed:
            context.closed = True
            await self._send({"context_id": context.name, "close_context": True})

    async def _receive(self) -> Message | None:
        """The next message; None when it is time to look after what is open."""
        try:
            async with asyncio.timeout(TICK_S if self._contexts else KEEP_ALIVE_S) as self._waiting:
                return await self._read()
        except TimeoutError:
            if not self._contexts:
                await self._keep_alive()
            return None
        finally:
            self._waiting = None

    async def _keep_alive(self) -> None:
        self._quiet += 1
        if self._quiet > MOST_QUIET[self._used]:
            raise self._error(Fault(Failure.CLOSED, "nobody has spoken for long"))
        await self._send({"text": ""})  # without an id, which would make a context

    async def _read(self) -> Message:
        try:
            await asyncio.sleep(0)  # others' turn: a message that waits is had without waiting
            return _decode(await self._connection.recv())
        except ConnectionClosed as error:
            raise self._closed(error) from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise self._error(Fault(Failure.GARBAGE, "a message that cannot be read")) from error

    async def _send(self, message: dict[str, object]) -> None:
        try:
            await self._connection.send(json.dumps(message))
        except ConnectionClosed as error:
            raise self._closed(error) from error

    def _closed(self, error: ConnectionClosed) -> ProviderError:
        close = error.rcvd or error.sent
        broke = Fault(Failure.NETWORK, "the connection broke")
        return self._error(of_close(close.code, close.reason) if close else broke)

    def _error(self, fault: Fault) -> ProviderError:
        return as_error(fault, self._api_key)
