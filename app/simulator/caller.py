"""One caller from dialling to hanging up: the webhook, then the TwiML verb by verb."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from app import clock
from app.audio.frame import SAMPLE_RATE, SILENCE, duration_ms
from app.errors import ConfigError
from app.simulator import voice
from app.simulator.address import resolve
from app.simulator.connection import Connection
from app.simulator.exchange import Exchange
from app.simulator.identity import Identity, new_identity
from app.simulator.orders import Fault
from app.simulator.plan import CallPlan
from app.simulator.recording import Recording
from app.simulator.report import CallReport
from app.simulator.twiml import Document, Verb
from app.simulator.webhook import Unreachable, Webhooks

MOST_DOCUMENTS = 1000  # of one call; a waiting caller is sent round every second or more


class HungUp(Exception):
    """The call is over; nothing further of the TwiML runs."""


async def simulate_call(plan: CallPlan, exchange: Exchange | None = None) -> CallReport:
    """Place one call and live through it; what the hotline does wrong is in the report, never raised.

    Without an `exchange` the call has one of its own.
    """
    if exchange is None:
        async with Exchange() as exchange:
            return await simulate_call(plan, exchange)
    identity = new_identity(plan.account)
    async with Webhooks(plan, exchange.transport) as webhooks:
        return await Caller(plan, identity, webhooks, exchange).run()


class Caller:
    """Executes TwiML as Twilio would."""

    def __init__(self, plan: CallPlan, identity: Identity, webhooks: Webhooks, exchange: Exchange) -> None:
        self._plan = plan
        self._identity = identity
        self._webhooks = webhooks
        self._exchange = exchange
        self._report = CallReport(identity.call_sid)
        self._recording = Recording(plan.keep_s)
        self._gathers = 0
        self._deadline = clock.now() + plan.patience.longest_s

    async def run(self) -> CallReport:
        began = clock.now()
        try:
            document: Document | None = await self._ring()
            for _ in range(MOST_DOCUMENTS):
                if document is None:
                    break
                document = await self._perform(document)
            else:
                self._report.add_fault(Fault(12200, f"more than {MOST_DOCUMENTS} documents in one call"))
        except HungUp:
            pass
        except Fault as fault:
            self._report.add_fault(fault)
        if self._plan.status_url:
            await self._report_end(int(clock.now() - began))
        self._report.heard = self._recording.mulaw
        return self._report

    async def _ring(self) -> Document:
        try:
            return await self._webhooks.fetch(
                self._webhooks.address.signed(), self._identity.parameters("ringing")
            )
        except Unreachable:
            self._report.is_unreachable = True
            raise

    async def _perform(self, document: Document) -> Document | None:
        """Execute one document; gives the next one, or None when the call is over."""
        for warning in document.warnings:
            self._report.add_fault(warning)
        steps: dict[str, Callable[[Verb, str], Awaitable[Document | None]]] = {
            "Connect": self._connect,
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Gather": self._gather,
            "Record": self._record,
            "Redirect": self._redirect,
            "Reject": self._reject,
            "Hangup": self._hang_up,
        }
        for verb in document.verbs:
            following = await steps[verb.name](verb, document.url)
            if following is not None:
                return following
        return None

    async def _connect(self, verb: Verb, base: str) -> Document | None:
        assert verb.stream is not None
        connection = Connection(self._plan, self._identity, self._webhooks, self._exchange.ticker)
        stream = await connection.hold(verb.stream, base, self._recording, self._deadline)
        self._report.streams.append(stream)
        quirks, action = self._plan.quirks, verb.attributes.get("action")
        if stream.closed is not None and stream.closed.by == "caller":
            if action and quirks.action_after_hang_up:
                await self._fetch(action, base, verb, status="completed")
            raise HungUp
        if not action or (stream.closed is None and not quirks.action_after_refusal):
            return None
        return await self._fetch(action, base, verb)

    async def _say(self, verb: Verb, _base: str) -> None:
        self._report.said.append(verb.text)
        await self._listen(SILENCE * round(self._say_ms(verb.text) * SAMPLE_RATE / 1000))

    async def _play(self, verb: Verb, base: str) -> None:
        if not verb.text:  # DTMF only
            return
        url = resolve(base, verb.text)
        try:
            await self._listen(voice.downloaded(await self._webhooks.download(url)))
        except ConfigError as error:
            self._report.add_fault(Fault(12300, f"{url}: {error}"))

    async def _pause(self, verb: Verb, _base: str) -> None:
        length = verb.attributes.get("length", "1")
        await self._listen(SILENCE * SAMPLE_RATE * (int(length) if length.isdecimal() else 1))

    async def _gather(self, verb: Verb, base: str) -> Document | None:
        """Hear the prompts and press the caller's next key, if there is one; it cuts them short."""
        self._gathers += 1
        key = self._plan.menu_keys.get(self._gathers)
        if key is None:
            for prompt in verb.prompts:
                await {"Say": self._say, "Play": self._play, "Pause": self._pause}[prompt.name](prompt, base)
            await self._listen(SILENCE * SAMPLE_RATE * int(verb.attributes.get("timeout", "5")))
            return None
        action = verb.attributes.get("action") or base
        return await self._fetch(action, base, verb, more={"Digits": key})

    async def _record(self, verb: Verb, base: str) -> Document:
        """Leave a message of one second; tells where it is kept, as Twilio does."""
        await self._listen(SILENCE * SAMPLE_RATE)
        recording = {"RecordingSid": f"RE{self._identity.call_sid[2:]}", "RecordingDuration": "1"}
        recording["RecordingUrl"] = f"https://api.twilio.com/Recordings/{recording['RecordingSid']}"
        if told := verb.attributes.get("recordingStatusCallback"):
            status = recording | {"RecordingStatus": "completed"}
            parameters = self._identity.parameters("in-progress") | status
            fault = await self._webhooks.notify(told, parameters, base)
            if fault is not None:
                self._report.add_fault(fault)
        return await self._fetch(verb.attributes.get("action") or base, base, verb, more=recording)

    async def _redirect(self, verb: Verb, base: str) -> Document:
        return await self._fetch(verb.text, base, verb)

    async def _reject(self, verb: Verb, _base: str) -> None:
        self._report.rejected = verb.attributes.get("reason", "rejected")
        raise HungUp

    async def _hang_up(self, _verb: Verb, _base: str) -> None:
        raise HungUp

    async def _fetch(
        self,
        url: str,
        base: str,
        verb: Verb,
        *,
        status: str = "in-progress",
        more: Mapping[str, str] | None = None,
    ) -> Document:
        method = verb.attributes.get("method", "POST")
        parameters = self._identity.parameters(status) | dict(more or {})
        return await self._webhooks.fetch(resolve(base, url), parameters, method)

    async def _listen(self, mulaw: bytes) -> None:
        """Hear what Twilio plays by itself, in real time; hangs up when the caller has no more."""
        left_s = self._deadline - clock.now()
        heard_s = min(left_s, duration_ms(mulaw) / 1000)
        self._recording.add(mulaw[: round(max(0.0, heard_s) * SAMPLE_RATE)])
        await asyncio.sleep(max(0.0, heard_s))
        if heard_s == left_s:
            raise HungUp

    def _say_ms(self, text: str) -> float:
        return len(text) * self._plan.quirks.say_ms_per_character

    async def _report_end(self, duration_s: int) -> None:
        ended = {
            "CallStatus": "busy" if self._report.rejected else "completed",
            "CallDuration": str(duration_s),
        }
        parameters = self._identity.parameters("completed") | ended
        fault = await self._webhooks.notify(self._plan.status_url, parameters)
        if fault is not None:
            self._report.add_fault(fault)
