"""The verb Connect: a media stream, told of by status callbacks."""

import asyncio
import secrets
from urllib.parse import urlsplit

from app import clock
from app.simulator.address import is_loopback, resolve
from app.simulator.dialogue import Dialogue
from app.simulator.identity import Identity
from app.simulator.messages import Messages
from app.simulator.orders import Fault
from app.simulator.plan import CallPlan
from app.simulator.recording import Recording
from app.simulator.report import StreamReport
from app.simulator.stream import Dial, open_stream
from app.simulator.ticker import Ticker
from app.simulator.twiml import Stream
from app.simulator.webhook import Webhooks
from app.telephony.signature import websocket_url


class Connection:
    """One Connect of one call."""

    def __init__(self, plan: CallPlan, identity: Identity, webhooks: Webhooks, ticker: Ticker) -> None:
        self._plan = plan
        self._identity = identity
        self._webhooks = webhooks
        self._ticker = ticker

    async def hold(
        self,
        stream: Stream,
        base: str,
        recording: Recording,
        deadline: float,
        dialogue: Dialogue | None = None,
    ) -> StreamReport:
        """Open the stream and stay until it ends. A handshake that fails is a fault of the report."""
        report = StreamReport(f"MZ{secrets.token_hex(16)}")
        async with asyncio.TaskGroup() as callbacks:  # they run beside the stream, in any order

            def tell(event: str, fault: str = "") -> None:
                if stream.status_url:
                    callbacks.create_task(self._tell(stream, base, report, event, fault))

            try:
                dial = self._dial(stream, base, report)
                standing = await open_stream(dial, self._plan, report, recording, dialogue)
                tell("stream-started")
                report.closed = await standing.hold(self._ticker, deadline)
                tell("stream-stopped")
            except Fault as fault:
                report.add_fault(fault)
                tell("stream-error", str(fault))
        return report

    def _dial(self, stream: Stream, base: str, report: StreamReport) -> Dial:
        """What to dial for a Stream noun.

        Raises:
            Fault: its URL is not one that Twilio would dial.
        """
        signed = websocket_url(resolve(base, stream.url)) if stream.url else ""
        parts = urlsplit(signed)
        if not parts.hostname:
            raise Fault(31923, "<Stream> without a url that could be dialled")
        if parts.scheme != "wss" and not is_loopback(parts):
            raise Fault(31922, f"stream url with the scheme {parts.scheme}, expected wss")
        if parts.query:
            report.add_fault(Fault(31920, "stream url with a query, which Twilio drops"))
            signed = parts._replace(query="").geturl()
        account_sid, call_sid = self._identity.account.account_sid, self._identity.call_sid
        messages = Messages(stream_sid=report.stream_sid, call_sid=call_sid, account_sid=account_sid)
        url = self._webhooks.address.dialled(signed)
        return Dial(url, self._webhooks.signature(signed), messages, dict(stream.parameters))

    async def _tell(self, stream: Stream, base: str, report: StreamReport, event: str, error: str) -> None:
        parameters = {
            "CallSid": self._identity.call_sid,
            "AccountSid": self._identity.account.account_sid,
            "StreamSid": report.stream_sid,
            "StreamName": stream.name or report.stream_sid,
            "StreamEvent": event,
            "Timestamp": clock.wall().isoformat(timespec="microseconds").replace("+00:00", "000Z"),
        }
        if error:
            parameters["StreamError"] = error
        fault = await self._webhooks.notify(stream.status_url, parameters, base)
        if fault is not None:
            report.add_fault(fault)
