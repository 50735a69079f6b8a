"""Twilio's end of a media socket: a WebSocket client that costs next to nothing.

HTTP/1.1 upgrade with Twilio's headers and nothing more: no Origin, no subprotocol, no extensions. The
library's protocol without its asyncio part, which would cost a task and several wake-ups for each message.
"""

import asyncio
import socket as network
import ssl
import struct
from collections.abc import Mapping
from typing import Protocol, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from app.simulator.orders import Fault
from app.simulator.tls import trust

USER_AGENT = "Twilio.TmeWs/1.0"
LARGEST_MESSAGE = 16 * 1024 * 1024  # bytes; Twilio documents no limit
ABNORMAL = 1006
DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
CONGESTION = 64 * 1024  # bytes; three seconds of one caller's messages
LINGER_NOT = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close sends RST


class Listener(Protocol):
    """Who hears what comes from the socket, in callbacks that must not block."""

    def received(self, text: bytes) -> None:
        """A whole text message."""

    def received_binary(self) -> None:
        """A binary message, which Twilio does not take."""

    def closed(self) -> None:
        """The connection is gone; `close_code` says how."""


class Socket(asyncio.Protocol):
    """One connection. `send` and `close` may be called at any time; on one that is not open they do nothing.

    Raises:
        Fault: 31923, when the URL is none.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        try:
            self._ws = ClientProtocol(parse_uri(url), max_size=LARGEST_MESSAGE)
        except InvalidURI:
            raise Fault(31923, "stream url that is none") from None
        self._headers = headers
        self._listener: Listener | None = None
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fragments: list[bytes] = []
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, listener: Listener, *, within_s: float) -> None:
        """Dial and shake hands; what comes from then on goes to `listener`.

        Raises:
            Fault: 31901, 31902, 31904, 31910 or 31920, as Twilio would report it.
        """
        self._listener = listener
        address = self._ws.uri
        where = f"{address.host}:{address.port}"
        try:
            async with asyncio.timeout(within_s):
                await asyncio.get_running_loop().create_connection(
                    lambda: self,
                    address.host,
                    address.port,
                    ssl=await trust() if address.secure else None,
                )
                await self._opened
        except TimeoutError:
            self.abort()
            raise Fault(31901, f"no handshake with {where} within {within_s:g} s") from None
        except ssl.SSLError as error:
            raise Fault(31910, f"TLS with {where} failed: {error.reason}") from None
        except ConnectionRefusedError:
            raise Fault(31902, f"nothing listens on {where}") from None
        except OSError as error:
            raise Fault(31904, f"{where} cannot be reached: {error}") from None

    @property
    def is_open(self) -> bool:
        return self._ws.state is State.OPEN and not self._gone.done()  # a reset leaves the protocol unaware

    @property
    def is_congested(self) -> bool:
        """Whether the bridge reads so slowly that much of what we sent has not left this machine."""
        return self._transport is not None and self._transport.get_write_buffer_size() > CONGESTION

    async def wait_closed(self) -> None:
        """Returns when the TCP connection is gone."""
        await asyncio.shield(self._gone)

    @property
    def close_code(self) -> int:
        """As the bridge sent it; 1005 for a close without a code, 1006 for a connection that just broke."""
        return ABNORMAL if self._ws.close_rcvd is None else self._ws.close_rcvd.code

    @property
    def close_reason(self) -> str:
        return "" if self._ws.close_rcvd is None else self._ws.close_rcvd.reason

    def send(self, text: bytes) -> None:
        if self.is_open:
            self._ws.send_text(text)
            self._flush()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Begin the closing handshake; `closed` follows when the bridge has answered."""
        if self.is_open:
            self._ws.send_close(code, reason)
            self._flush()

    def abort(self) -> None:
        """Let the connection go without a word."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """Break the connection as a crash does: TCP RST in place of any farewell."""
        if self._transport is not None:
            handle = self._transport.get_extra_info("socket")
            if handle is not None:
                handle.setsockopt(network.SOL_SOCKET, network.SO_LINGER, LINGER_NOT)
            self._transport.abort()

    def hold(self) -> None:
        """Stop reading: what the bridge sends piles up on its side."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def release(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # Called by the event loop ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has all of it, yet is no subclass
        request = self._ws.connect()
        for name, value in {"User-Agent": USER_AGENT, **self._headers}.items():
            request.headers[name] = value
        self._ws.send_request(request)
        self._flush()

    def data_received(self, received: bytes) -> None:
        self._ws.receive_data(received)
        self._flush()
        for event in self._ws.events_received():
            if isinstance(event, Response):
                self._shaken(event)
            elif isinstance(event, Frame):
                self._frame(event)

    def eof_received(self) -> None:
        self._ws.receive_eof()
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._gone.done():
            self._gone.set_result(None)
        if not self._opened.done():
            self._opened.set_exception(Fault(31920, "connection closed in place of a handshake"))
            self._opened.exception()  # seen: whoever dials may have left already
        elif self._listener and not self._opened.cancelled() and self._opened.exception() is None:
            self._listener.closed()

    def _shaken(self, response: Response) -> None:
        if self._opened.done():
            return
        if self._ws.handshake_exc is None:
            self._opened.set_result(None)
            return
        what = f"answer {response.status_code}" if response.status_code != 101 else "wrong headers"
        self._opened.set_exception(Fault(31920, f"handshake refused: {what}, expected 101"))
        self._opened.exception()
        self.abort()

    def _frame(self, frame: Frame) -> None:
        if self._listener is None or frame.opcode not in DATA:
            return
        if frame.opcode is Opcode.BINARY:
            self._listener.received_binary()
            return
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            self._listener.received(b"".join(self._fragments))
            self._fragments.clear()

    def _flush(self) -> None:
        if self._transport is None:
            return
        for piece in self._ws.data_to_send():
            if piece:
                self._transport.write(piece)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
