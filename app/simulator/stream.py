"""One media stream from the handshake to the close."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

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


async def hold_stream(
    dial: Dial, plan: CallPlan, report: StreamReport, recording: Recording, ticker: Ticker, deadline: float
) -> None:
    """Dial, and stay until one side ends it, or the caller at `deadline`; fills the report.

    Raises:
        Fault: there is no stream, because the handshake failed.
    """
    socket = Socket(dial.url, dial.headers)
    sender = Sender(socket, dial.messages, plan.line)
    phone = Phone(plan, sender, report, recording)
    await socket.open(phone, within_s=UNTIL_101_S)
    try:
        phone.start(dial.parameters)
        await _talk(phone, socket, plan.line, ticker, deadline)
        phone.finish()
        await _leave(socket, sender, plan)
    finally:
        socket.abort()
    report.closed = Closed(socket.close_code, socket.close_reason, _who_closed(socket))


async def _talk(phone: Phone, socket: Socket, line: Line, ticker: Ticker, deadline: float) -> None:
    async with asyncio.TaskGroup() as group:
        deafness = group.create_task(_be_deaf(socket, line))
        ticker.add(phone)
        try:
            async with asyncio.timeout_at(deadline):
                await phone.over.wait()
        except TimeoutError:
            pass  # the caller has no more time
        finally:
            ticker.remove(phone)
            deafness.cancel()


async def _be_deaf(socket: Socket, line: Line) -> None:
    if line.deaf_ms:
        await asyncio.sleep(line.deaf_from_ms / 1000)
        socket.hold()
        await asyncio.sleep(line.deaf_ms / 1000)
        socket.release()


async def _leave(socket: Socket, sender: Sender, plan: CallPlan) -> None:
    """The caller's side of the end; does nothing when the hotline has closed already."""
    match plan.ending:
        case Ending.RESET:
            socket.reset()
        case Ending.HALF_OPEN if socket.is_open:
            socket.hold()
            await asyncio.sleep(plan.half_open_s)
            socket.reset()
        case _:
            await _hang_up(socket, sender, plan)
    try:
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await socket.wait_closed()
    except TimeoutError:
        socket.abort()
        await socket.wait_closed()


async def _hang_up(socket: Socket, sender: Sender, plan: CallPlan) -> None:
    socket.release()  # a deaf line would never hear the answer to its close
    if plan.quirks.stop_before_close:
        sender.stop()
    await sender.drain()
    socket.close(plan.quirks.close_code)


def _who_closed(socket: Socket) -> str:
    return "hotline" if socket.closed_by_bridge else "caller"
