"""A WebSocket client that does by hand what a library would never let it do."""

import asyncio
import json
import os
import socket as network
import struct
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from app.telephony import signature
from tests.web.conftest import PUBLIC, TOKEN

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
WITHIN_S = 15.0  # for any answer: machines are busy
PATH = "/media-stream"
SIGNED = {"X-Twilio-Signature": signature.sign(TOKEN, f"{PUBLIC.replace('https', 'wss')}{PATH}")}
RESET = struct.pack("ii", 1, 0)


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """One frame; `length` may lie."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65_536:
        head += bytes([mask_bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mask_bit | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def text(message: str) -> bytes:
    return frame(TEXT, message.encode())


def upgrade(headers: Mapping[str, str] = SIGNED) -> bytes:
    """A handshake as Twilio's, signed."""
    lines = [
        f"GET {PATH} HTTP/1.1",
        "Host: voice.example.com",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class RawSocket:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._heard = bytearray()

    async def send(self, raw: bytes) -> None:
        self._writer.write(raw)
        await self._writer.drain()

    def push(self, raw: bytes) -> None:
        """Send without waiting until it has left."""
        self._writer.write(raw)

    async def shake(self, headers: Mapping[str, str] = SIGNED) -> int:
        """The handshake; gives the status of the answer."""
        await self.send(upgrade(headers))
        return await self.status()

    async def status(self) -> int:
        """Of the HTTP answer that comes next; 0 when the connection is dropped instead."""
        try:
            return int((await self.head()).split()[1])
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0

    async def head(self) -> bytes:
        """The head of the HTTP answer that comes next."""
        async with asyncio.timeout(WITHIN_S):
            return await self._reader.readuntil(b"\r\n\r\n")

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the HTTP answer that comes next."""
        head = await self.head()
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(head.split()[1]), await self._reader.readexactly(int(length.partition(b":")[2]))

    async def next_frame(self) -> tuple[int, bytes]:
        """Opcode and payload of what the server sends next."""
        async with asyncio.timeout(WITHIN_S):
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
            return first & 0x0F, await self._reader.readexactly(size)

    async def close_code(self) -> int:
        """Reads on until the server has let go: the code it said, 0 when it said none."""
        code = 0
        try:
            while True:
                opcode, payload = await self.next_frame()
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big")
                    self.push(frame(CLOSE, payload[:2]))  # as the other side may wait for it
        except (asyncio.IncompleteReadError, ConnectionError):
            return code

    async def heard(self, *, until_bytes: int) -> bytes:
        """The audio that comes, from what was read already on."""
        while len(self._heard) < until_bytes:
            self._listen(*await self.next_frame())
        return bytes(self._heard)

    def _listen(self, opcode: int, payload: bytes) -> None:
        message = json.loads(payload) if opcode == TEXT else {}
        if message.get("event") == "media":
            self._heard += b64decode(message["media"]["payload"])

    def pause(self) -> None:
        """Take nothing from now on."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def reset(self) -> None:
        """TCP RST."""
        handle = self._writer.get_extra_info("socket")
        handle.setsockopt(network.SOL_SOCKET, network.SO_LINGER, RESET)
        self._writer.transport.abort()


@asynccontextmanager
async def connected(url: str, *, takes: bool = True) -> AsyncIterator[RawSocket]:
    """A connection to the server at `http://host:port`; one that takes nothing never reads."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    socket = RawSocket(reader, writer)
    if not takes:
        socket.pause()
    try:
        yield socket
    finally:
        writer.transport.abort()
