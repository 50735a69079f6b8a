"""A vendor without a network: stands behind the libraries' `connect` and transport, and says anything."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import httpx
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response
from websockets.protocol import State

STATUSES = (200, 101, 400, 401, 402, 403, 404, 429, 500, 503)
CLOSES = (1000, 1001, 1006, 1008, 1009, 1011, 1013, 4000)
CONTEXT = b"$CONTEXT"  # stands for the id of the sentence that we said last


class Connection:
    """The library's connection, as our sockets use it: gives its messages once it was spoken to, then closes.

    One that greets gives the first of them before that.
    """

    response = None

    def __init__(self, messages: list[bytes], code: int, *, greets: bool) -> None:
        self.state = State.OPEN
        self.transport = self
        self._messages = deque(messages)
        self._code = code
        self._context = b""
        self._greets = greets
        self._spoken_to = asyncio.Event()

    async def recv(self) -> str | bytes:
        if not self._greets:
            await self._spoken_to.wait()
        self._greets = False
        await asyncio.sleep(0)
        if not self._messages or self.state is not State.OPEN:
            raise self._closed()
        message = self._messages.popleft().replace(CONTEXT, self._context)
        try:
            return message.decode()
        except UnicodeDecodeError:  # a text frame of these would have ended the connection
            return message

    async def send(self, message: str | bytes) -> None:
        if self.state is not State.OPEN:
            raise self._closed()
        if isinstance(message, str):
            self._context = str(json.loads(message).get("context_id", "")).encode()
        self._spoken_to.set()

    async def wait_closed(self) -> None:
        return

    async def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        self.state = State.CLOSED
        self._spoken_to.set()

    def _closed(self) -> ConnectionClosedError:
        self.state = State.CLOSED
        return ConnectionClosedError(None if self._code == 1006 else Close(self._code, "bye"), None)


def split(given: bytes) -> tuple[int, list[bytes]]:
    """The first byte says how the vendor opens and closes, each line after it is a message."""
    return given[0] if given else 0, given[1:].split(b"\n")


def _connect(given: bytes, greets: bool) -> Callable[..., object]:
    """The library's `connect`; from 0x80 on the handshake is refused, with all the rest as the body."""
    how, messages = split(given)

    async def connect(*_args: object, **_options: object) -> Connection:
        if how >= 0x80:
            headers = Headers([("retry-after", given[1:9].decode("latin-1"))])
            raise InvalidStatus(Response(STATUSES[how % len(STATUSES)], "", headers, given[1:]))
        return Connection(messages, CLOSES[how % len(CLOSES)], greets=greets)

    return connect


@contextmanager
def dialled(module: str, given: bytes, *, greets: bool = False) -> Iterator[None]:
    """While this lasts, `connect` of that module of ours reaches a vendor that says what is given."""
    with patch(f"{module}.connect", _connect(given, greets)):
        yield


class _Body(httpx.AsyncByteStream):
    def __init__(self, given: bytes) -> None:
        self._given = given

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._given), 997):
            yield self._given[at : at + 997]


@contextmanager
def asked(given: bytes) -> Iterator[None]:
    """The same for HTTP: every request of this process is answered so."""
    how = given[0] if given else 0
    status = 200 if how < 0x80 else STATUSES[how % len(STATUSES)]

    async def answer(_transport: object, _request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, stream=_Body(given[1:]))

    with patch.object(httpx.AsyncHTTPTransport, "handle_async_request", answer):
        yield
