"""One WebSocket of Cartesia, spoken on by many sentences at once: each is a context of its own.

Source: https://docs.cartesia.ai/api-reference/tts/websocket
"""

import asyncio
import json
from typing import Self
from uuid import uuid4

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from app.errors import Failure, ProviderError
from app.speech.arrivals import Arrivals
from app.speech.cartesia_wire import (
    VERSION,
    Message,
    decode_message,
    fault,
    of_close,
    of_handshake,
    of_message,
)
from app.speech.connection import Patience, dial
from app.speech.vendor_error import retry_after_s
from app.speech.word_times import WordTimes

MOST_SENTENCES = 20  # at once on one socket; the vendor says that it takes dozens


class Sentence:
    """One context, and where its messages go; `alignment` only when words were asked for."""

    def __init__(self, text: str, arrivals: Arrivals, alignment: WordTimes | None) -> None:
        self.text = text
        self.context_id = str(uuid4())  # never used again: what comes late for it is nobody's
        self.arrivals = arrivals
        self._alignment = alignment

    def take(self, message: Message) -> None:
        """Pass on what a message holds; errors are dealt with before."""
        match message.type:
            case "chunk" if message.data:
                if self._alignment:
                    self._alignment.audio(message.data)
                self.arrivals.put(message.data)
            case "timestamps" if self._alignment and (told := message.word_timestamps):
                for word, start_s, end_s in zip(told.words, told.start, told.end, strict=False):
                    self._alignment.word(word, start_s, end_s)
            case "done":
                if self._alignment and self.arrivals.begun:
                    self.arrivals.put(self._alignment.whole())
                self.arrivals.end()
        if self._alignment and (claim := self._alignment.due()):
            self.arrivals.put(claim)


class CartesiaSocket:
    """A connection and the sentences on it; `read` is to run as long as it is kept."""

    def __init__(self, connection: ClientConnection, secrets: list[str]) -> None:
        self._connection = connection
        self._secrets = secrets
        self._sentences: dict[str, Sentence] = {}
        self._retired = False

    @classmethod
    async def open(cls, url: str, api_key: str, patience: Patience) -> Self:
        """Connect; a refused key shows here.

        Raises:
            ProviderError: refused, unreachable or too slow.
        """
        secrets = [api_key]
        try:
            connection = await dial(
                url, {"Authorization": f"Bearer {api_key}", "Cartesia-Version": VERSION}, patience
            )
        except InvalidStatus as error:
            answer = error.response
            wait_s = retry_after_s(answer.headers.get("retry-after"))
            raise of_handshake(answer.status_code, bytes(answer.body or b""), secrets, wait_s) from error
        except TimeoutError as error:
            raise fault(Failure.TIMEOUT, f"no connection within {patience.connect_s:g} s", secrets) from error
        except (OSError, WebSocketException) as error:
            raise fault(Failure.NETWORK, f"no connection: {error}", secrets) from error
        return cls(connection, secrets)

    @property
    def usable(self) -> bool:
        """Whether one more sentence may be said on it."""
        open_still = self._connection.state is State.OPEN and not self._retired
        return open_still and len(self._sentences) < MOST_SENTENCES

    @property
    def idle(self) -> bool:
        return not self._sentences

    def retire(self) -> None:
        """No more sentences on this one: it has fallen silent once."""
        self._retired = True

    async def say(self, sentence: Sentence, request: dict[str, object]) -> None:
        """Begin a sentence; what comes of it, errors too, arrives at `sentence.arrivals`.

        Raises:
            ProviderError: the socket is closed.
        """
        if self._retired:
            raise fault(Failure.CLOSED, "a socket that is no longer used", self._secrets)
        own = {"context_id": sentence.context_id, "transcript": sentence.text}
        self._sentences[sentence.context_id] = sentence
        try:
            await self._connection.send(json.dumps(request | own))
        except ConnectionClosed as error:
            raise self._closed(error) from None

    def leave(self, sentence: Sentence) -> bool:
        """Take no more of a sentence; True when the vendor may still be at it."""
        return self._sentences.pop(sentence.context_id, None) is not None

    async def cancel(self, sentence: Sentence) -> None:
        """Tell the vendor that nobody listens; by its word, what is being generated is still sent."""
        try:
            await self._connection.send(json.dumps({"context_id": sentence.context_id, "cancel": True}))
        except ConnectionClosed:
            return

    async def read(self) -> ProviderError:
        """Hand every message to its sentence until the socket is closed; returns why it was."""
        failure = fault(Failure.CLOSED, "the voice was closed", self._secrets)
        try:
            while True:
                await asyncio.sleep(0)  # others' turn: a message that waits is had without waiting
                self._route(decode_message(await self._connection.recv()))
        except ConnectionClosed as error:
            failure = self._closed(error)
        except ProviderError as error:
            failure = error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            failure = fault(Failure.GARBAGE, "a message that cannot be read", self._secrets)
        finally:
            self._retired = True
            for sentence in self._sentences.values():
                sentence.arrivals.fail(failure)
            self._sentences.clear()
        return failure

    async def close(self) -> None:
        """Waits for the other side, but not for long, and not at all when cancelled."""
        try:
            await self._connection.close()
        finally:
            self._connection.transport.abort()

    def _route(self, message: Message) -> None:
        if message.type == "error" and not message.context_id:
            raise of_message(message, self._secrets)  # of the socket, or of whom nobody knows
        sentence = self._sentences.get(message.context_id or "")
        if sentence is None:
            return  # it was left, and the vendor is not done with it
        if message.type in ("done", "error"):
            del self._sentences[sentence.context_id]
        if message.type == "error":
            sentence.arrivals.fail(of_message(message, self._secrets))
        else:
            sentence.take(message)

    def _closed(self, error: ConnectionClosed) -> ProviderError:
        """Raised `from None`: the library's own words would carry the vendor's reason unmasked."""
        if close := error.rcvd or error.sent:
            return of_close(close.code, close.reason, self._secrets)
        return fault(Failure.NETWORK, "the connection broke", self._secrets)
