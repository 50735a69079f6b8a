"""One HTTP connection as uvicorn serves it, with the bounds that uvicorn does not have.

A request must be here whole within seconds of its first byte (uvicorn waits for ever), too many connections
without one are not kept, and who does not read the answer is cut.
"""

import asyncio
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.web.doorstep import Doorstep
from app.web.stalled import Stalled

REQUEST_WITHIN_S = 10.0  # seconds from the connection, or the first byte, to the end of head and body
WHOLE = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)


class HttpWire(H11Protocol):
    """uvicorn's protocol, on the clock until its request is whole."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        parts = app_state.get("parts")
        self._doorstep: Doorstep = parts.doorstep if parts is not None else Doorstep()
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled = Stalled(self.loop, self.drop)

    def drop(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request(self.client[0] if self.client else "")

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self.conn.their_state is h11.IDLE:
            self._await_request()  # the next one of a connection that is kept
        super().data_received(data)
        if self.conn.their_state in WHOLE:
            self._request_is_here()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        # What has come behind the handshake is dropped with h11's buffer: nobody may speak before our answer.
        self._request_is_here()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        self._request_is_here()
        super().on_response_complete()
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self._doorstep.come(self, self.loop.time())  # kept by uvicorn for some seconds, or by the crowd

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_is_here()
        self._stalled.over()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        self._stalled.began()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stalled.over()
        super().resume_writing()

    def _await_request(self, peer: str = "") -> None:
        now = self.loop.time()
        self._doorstep.leave(self)
        self._deadline = self.loop.call_at(now + REQUEST_WITHIN_S, self._too_slow)
        self._doorstep.come(self, now, peer)

    def _too_slow(self) -> None:
        self._doorstep.too_slow(self, self.loop.time())

    def _request_is_here(self) -> None:
        self._doorstep.leave(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
