"""One WebSocket connection as uvicorn serves it, with the bounds that uvicorn does not have.

What comes is parsed in small pieces, and no faster than Twilio could ever send it: who is faster is not read
meanwhile, and when our ping's answer lies behind too much of it, the ping ends the stream. Whatever way a
connection ends, it is gone some seconds later, also when the other side takes no byte any more.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode

from app.web.flow import Flow
from app.web.stalled import Stalled

PIECE = 2048  # bytes parsed at once; of the smallest frames that is a few milliseconds
HANDSHAKE_WITHIN_S = 5.0  # seconds for us to answer; it takes one
FAREWELL_S = 5.0  # seconds from a close until the connection is cut, whatever still waits to be taken


class SocketWire(WebSocketsSansIOProtocol):
    """uvicorn's protocol, fed at its own pace."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._inbox = bytearray()  # come and not parsed: at most one read of the loop's
        self._flow = Flow()
        self._later: asyncio.TimerHandle | None = None
        self._farewell: asyncio.TimerHandle | None = None
        self._stalled = Stalled(self.loop, self._cut)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._farewell = self.loop.call_later(HANDSHAKE_WITHIN_S, self._cut)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._later, self._farewell):
            if timer is not None:
                timer.cancel()
        self._stalled.over()
        self._inbox.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inbox += data
        self._read_on()

    async def receive(self) -> Any:
        message = await super().receive()
        self._read_on()
        return message

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept" and self.handshake_complete:
            self._stay()
            self._read_on()
        elif self.close_sent:
            self._leave()

    def pause_writing(self) -> None:
        self._stalled.began()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stalled.over()
        super().resume_writing()

    def handle_events(self) -> None:
        self._flow.take(len(self.conn.events), 0, self.loop.time())
        super().handle_events()

    def send_receive_event_to_app(self) -> None:
        # uvicorn finds bad text too late: it fails when a close has come in the meantime, and logs each.
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.fail(CloseCode.INVALID_DATA, "text that is not UTF-8")
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def handle_close(self, event: Any) -> None:
        super().handle_close(event)
        self._leave()

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is None:
            return self._cut()
        super().handle_parser_exception()
        self._leave()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._leave()

    def _read_on(self) -> None:
        """Parse what has come, as far as it may be taken now."""
        while self._inbox and not self.transport.is_closing() and not self._must_wait():
            piece = bytes(self._inbox[:PIECE])
            del self._inbox[:PIECE]
            self._flow.take(0, len(piece), self.loop.time())
            self._parse(piece)
        if self.transport.is_closing():
            self._inbox.clear()
        elif self._inbox:
            self.transport.pause_reading()
        elif not self.read_paused:
            self.transport.resume_reading()

    def _must_wait(self) -> bool:
        if self.read_paused or (self.handshake_initiated and not self.handshake_complete):
            return True  # for the application, which comes back here
        wait_s = self._flow.wait_s(self.loop.time())
        if wait_s and self._later is None:
            self._later = self.loop.call_later(wait_s, self._wake)
        return wait_s > 0

    def _wake(self) -> None:
        self._later = None
        self._read_on()

    def _parse(self, piece: bytes) -> None:
        try:
            super().data_received(piece)
        except InvalidState:  # a message and a close at once: uvicorn answers the one after the other
            self._cut()
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_handshake()

    def _refuse_handshake(self) -> None:
        """uvicorn passes over a handshake that cannot be read, and keeps the connection."""
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    def _stay(self) -> None:
        if self._farewell is not None:
            self._farewell.cancel()
            self._farewell = None

    def _leave(self) -> None:
        if self._farewell is None:
            self._farewell = self.loop.call_later(FAREWELL_S, self._cut)

    def _cut(self) -> None:
        self.transport.abort()


def _is_text(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True
