"""The verb Connect: a media stream, told of by status callbacks."""

import asyncio
import secrets
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from app import clock
from app.simulator.address import is_loopback
from app.simulator.identity import Identity
from app.simulator.messages import Messages
from app.simulator.orders import Fault
from app.simulator.plan import CallPlan
from app.simulator.recording import Recording
from app.simulator.report import StreamReport
from app.simulator.stream import Dial, hold_stream
from app.simulator.ticker import Ticker
from app.simulator.twiml import Stream
from app.simulator.webhook import Webhooks
from app.telephony.signature import websocket_url

NEWS_FIELDS = ("CallSid", "AccountSid")


@dataclass(frozen=True, slots=True)
class Result:
    """How a Connect ended, and whether there is still a caller to go on with."""

    report: StreamReport
    caller_left: bool


class Connection:
    """One Connect of one call."""

    def __init__(self, plan: CallPlan, identity: Identity, webhooks: Webhooks, ticker: Ticker) -> None:
        self._plan = plan
        self._identity = identity
        self._webhooks = webhooks
        self._ticker = ticker

    async def hold(self, stream: Stream, base: str, recording: Recording, deadline: float) -> Result:
        """Open the stream and stay until it ends. A handshake that fails is a fault of the report."""
        report = StreamReport(f"MZ{secrets.token_hex(16)}")
        async with asyncio.TaskGroup() as group:  # callbacks run beside the stream, in any order
            try:
                dial = self._dial(stream, base, report)
                on_open = lambda: group.create_task(self._tell(stream, report, "stream-started"))
                await hold_stream(dial, self._plan, report, recording, self._ticker, deadline, on_open)
            except Fault as fault:
                report.add_fault(fault)
                group.create_task(self._tell(stream, report, "stream-error", str(fault)))
            else:
                group.create_task(self._tell(stream, report, "stream-stopped"))
        closed = report.closed
        return Result(report, caller_left=closed is not None and closed.by == "caller")
