"""One media stream from the handshake to the close."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from app.simulator.dialogue import Dialogue
from app.simulator.messages import Messages
from app.simulator.phone import Phone
from app.simulator.plan import CallPlan, Ending, Line
from app.simulator.recording import Recording
from app.simulator.report import Closed, StreamReport
from app.simulator.sender import Sender
from app.simulator.socket import Socket
from app.simulator.ticker import Ticker

UNTIL_101_S = 10.0  # seconds; Twilio's own limit is not documented
CLOSE_WITHIN_S = 5.0  # seconds for the hotline to answer a close, before the connection is cut


@dataclass(frozen=True, slots=True)
class Dial:
    """What is dialled: the address, the headers of the handshake, and what `start` carries."""

    url: str
    headers: Mapping[str, str]
    messages: Messages
    parameters: dict[str, str]


async def open_stream(
    dial: Dial, plan: CallPlan, report: StreamReport, recording: Recording, dialogue: Dialogue | None = None
) -> "OpenStream":
    """Dial and shake hands.

    Raises:
        Fault: there is no stream.
    """
    socket = Socket(dial.url, dial.headers)
    sender = Sender(socket, dial.messages, plan.line)
    phone = Phone(plan, sender, report, recording, dialogue)
    await socket.open(phone, within_s=UNTIL_101_S)
    phone.start(dial.parameters)
    return OpenStream(socket, sender, phone, plan)


class OpenStream:
    """A stream that stands."""

    def __init__(self, socket: Socket, sender: Sender, phone: Phone, plan: CallPlan) -> None:
        self._socket = socket
        self._sender = sender
        self._phone = phone
        self._plan = plan

    async def hold(self, ticker: Ticker, deadline: float) -> Closed:
        """Stay until one side ends it, or the caller at `deadline`."""
        try:
            await self._talk(ticker, deadline)
            self._phone.finish()
            by = "caller" if self._socket.is_open else "hotline"
            await self._leave()
        finally:
            self._socket.abort()
        return Closed(self._socket.close_code, self._socket.close_reason, by)

    async def _talk(self, ticker: Ticker, deadline: float) -> None:
        async with asyncio.TaskGroup() as group:
            deafness = group.create_task(_be_deaf(self._socket, self._plan.line))
            ticker.add(self._phone)
            try:
                async with asyncio.timeout_at(deadline):
                    await self._phone.over.wait()
            except TimeoutError:
                pass  # the caller has no more time
            finally:
                ticker.remove(self._phone)
                deafness.cancel()

    async def _leave(self) -> None:
        """The caller's part of the end; where the hotline has closed already, only the wait for TCP."""
        socket = self._socket
        match self._plan.ending:
            case Ending.HALF_OPEN if socket.is_open:
                socket.hold()
                await asyncio.sleep(self._plan.half_open_s)
                socket.reset()
            case Ending.RESET:
                socket.reset()
            case _:
                await self._hang_up()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await socket.wait_closed()
        except TimeoutError:
            socket.abort()
            await socket.wait_closed()

    async def _hang_up(self) -> None:
        self._socket.release()  # a deaf line would never hear the answer to its close
        if self._plan.quirks.stop_before_close:
            self._sender.stop()
        await self._sender.drain()
        self._socket.close(self._plan.quirks.close_code)


async def _be_deaf(socket: Socket, line: Line) -> None:
    if line.deaf_ms:
        await asyncio.sleep(line.deaf_from_ms / 1000)
        socket.hold()
        await asyncio.sleep(line.deaf_ms / 1000)
        socket.release()
