"""One TCP connection of a stand-in: HTTP, chunked answers, a WebSocket, and every way to break them.

Written on the sans-I/O halves of libraries, since a server framework will not cut its own connections.
"""

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


@dataclass
class Request:
    """An HTTP request, read whole."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    head: bytes
    body: bytes = b""

    @property
    def is_upgrade(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"

    def json(self) -> object:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Wire:
    """A connection as the server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> Request | None:
        """The next request; None when the client has closed, half-closed or vanished."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request(method, unquote(url.path), query, headers, head)
        request.body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return request

    async def answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        """A whole answer: JSON, or bytes as they are."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"content-type": "application/json", **(headers or {}), "content-length": str(len(payload))}
        await self._write(_head(status, fields) + payload)

    async def begin_chunked(self, headers: dict[str, str]) -> None:
        await self._write(_head(200, {**headers, "transfer-encoding": "chunked"}))

    async def chunk(self, payload: bytes) -> None:
        if payload:
            await self._write(f"{len(payload):x}\r\n".encode() + payload + b"\r\n")

    async def broken_chunk(self, payload: bytes) -> None:
        """A chunk that promises more than will ever come."""
        await self._write(f"{len(payload) + 1000:x}\r\n".encode() + payload)
        self.writer.close()

    async def end_chunked(self) -> None:
        await self._write(b"0\r\n\r\n")

    def cut(self) -> None:
        """End the connection as a dying machine would."""
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed; only where it has nothing more to send."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass

    async def _write(self, payload: bytes) -> None:
        self.writer.write(payload)
        await self.writer.drain()


@dataclass
class Socket:
    """The server's half of a WebSocket that has been accepted."""

    wire: Wire
    protocol: ServerProtocol = field(default_factory=lambda: ServerProtocol(max_size=None))
    gone: asyncio.Event = field(default_factory=asyncio.Event)  # the client has closed
    _unread: list[str | bytes] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.protocol.state is State.OPEN and not self.wire.reader.at_eof()

    async def accept(self, request: Request) -> None:
        self.protocol.receive_data(request.head)
        (handshake,) = self.protocol.events_received()
        assert isinstance(handshake, Handshake)
        self.protocol.send_response(self.protocol.accept(handshake))
        await self._flush()

    async def receive(self) -> str | None:
        """The next text message; None when the client has closed, half-closed or vanished."""
        while not isinstance(message := await self.message(), str):
            if message is None:
                return None
        return message

    async def message(self) -> str | bytes | None:
        """The next message, text or binary; None when the client has closed, half-closed or vanished."""
        while True:
            for event in self.protocol.events_received():
                if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                    payload = bytes(event.data)
                    self._unread.append(payload.decode() if event.opcode is Opcode.TEXT else payload)
            if self._unread:
                return self._unread.pop(0)
            if not self.open:
                self.gone.set()
                return None
            try:
                received = await self.wire.reader.read(65536)
            except ConnectionError:
                received = b""
            if received:
                self.protocol.receive_data(received)
            else:
                self.protocol.receive_eof()
            await self._flush()

    async def send(self, text: str) -> None:
        """Nothing happens when the client has closed, half-closed or vanished."""
        try:
            self.protocol.send_text(text.encode())
        except InvalidState:
            return
        await self._flush()

    async def close(self, code: int, reason: str = "") -> None:
        if self.protocol.state is State.OPEN:
            # The protocol allows 123 bytes, and the vendor cuts, also in mid-word.
            self.protocol.send_close(code, reason.encode()[:123].decode(errors="ignore"))
            await self._flush()

    async def _flush(self) -> None:
        try:
            for payload in self.protocol.data_to_send():
                if payload:
                    self.wire.writer.write(payload)
                elif self.wire.writer.can_write_eof():
                    self.wire.writer.write_eof()
            await self.wire.writer.drain()
        except (OSError, RuntimeError):  # `write_eof` onto a socket that is no longer connected is an OSError
            return


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
