"""What Twilio says on one stream, over a line that may be a bad one."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping

from app import clock
from app.simulator.echo import Echo
from app.simulator.line import Delays
from app.simulator.messages import CONNECTED, Messages
from app.simulator.plan import Line
from app.simulator.socket import Socket

PROTOCOL_ERROR = 1002  # a WebSocket close code


class Sender:
    """Messages of one stream, in order. What cannot leave in time is late, never out of order."""

    def __init__(self, socket: Socket, messages: Messages, line: Line) -> None:
        self._socket = socket
        self._messages = messages
        self._delays = Delays(line, clock.now()) if line.jitter_ms or line.stall_every_ms else None
        self._late: deque[bytes] = deque()  # under way on a bad line
        self._skips_silence = line.skip_silence
        self._echo = Echo(line)
        self.is_congested = False  # the bridge read so slowly that some of the caller's audio was dropped

    def open(self, parameters: Mapping[str, str]) -> None:
        """The stream's first two messages."""
        self._send(CONNECTED)
        self._send(self._messages.start(parameters))

    def media(self, mulaw: bytes | None, tick: int, *, heard: bytes | None = None) -> None:
        """One frame of the caller's, who is played `heard` meanwhile; None is silence."""
        mulaw = self._echo.mixed(heard, mulaw)
        if mulaw is None and self._skips_silence:
            return
        if self._socket.is_congested:
            self.is_congested = True
            return
        self._send(self._messages.media(mulaw, tick))

    def keys(self, digits: str) -> None:
        for digit in digits:
            self._send(self._messages.dtmf(digit))

    def marks(self, names: Iterable[str]) -> None:
        for name in names:
            self._send(self._messages.mark(name))

    def stop(self) -> None:
        self._send(self._messages.stop())

    def refuse(self) -> None:
        """Close the socket, because the bridge broke the protocol."""
        self._socket.close(PROTOCOL_ERROR)

    async def drain(self) -> None:
        """Wait until everything said so far has gone out."""
        if self._delays is not None:
            await asyncio.sleep(max(0.0, self._delays.due(clock.now()) - clock.now()))
            while self._late:
                self._deliver()

    def _send(self, text: bytes) -> None:
        if self._delays is None:
            self._socket.send(text)
            return
        self._late.append(
            text
        )  # a timer of the same instant may run before another: the queue keeps the order
        asyncio.get_running_loop().call_at(self._delays.due(clock.now()), self._deliver)

    def _deliver(self) -> None:
        if self._late:
            self._socket.send(self._late.popleft())
