"""One caller from dialling to hanging up: the webhook, then the TwiML verb by verb."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping

from app import clock
from app.audio.frame import SAMPLE_RATE, SILENCE, duration_ms
from app.errors import ConfigError
from app.simulator import voice
from app.simulator.address import resolve
from app.simulator.connection import Connection
from app.simulator.dialogue import Dialogue
from app.simulator.exchange import Exchange
from app.simulator.identity import Identity, new_identity
from app.simulator.orders import Fault
from app.simulator.plan import AfterLoss, Answer, CallPlan
from app.simulator.recording import Recording
from app.simulator.report import CallReport, StreamReport
from app.simulator.socket import ABNORMAL
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
        self._recording = Recording(plan.keep_s)
        self._report = CallReport(identity.call_sid, silences=self._recording.silences)
        self._dialogue = Dialogue(plan.turns, plan.patience)  # one for all streams: nobody says it all again
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
            "Dial": self._dial,
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
        if self._report.streams:
            self._recording.silences.stream_changed()
        hold = connection.hold(verb.stream, base, self._recording, self._deadline, self._dialogue)
        stream = await hold
        self._report.streams.append(stream)
        action = verb.attributes.get("action")
        if stream.closed is not None and stream.closed.by == "caller":
            if action and self._plan.quirks.action_after_hang_up:
                await self._fetch(action, base, verb, status="completed")
            raise HungUp
        return await self._fetch(action, base, verb) if action and self._asks_after(stream) else None

    def _asks_after(self, stream: StreamReport) -> bool:
        """Whether Connect's `action` is requested when the hotline's side has ended.

        Raises:
            HungUp: the call ends with its stream.
        """
        quirks = self._plan.quirks
        if stream.closed is None:
            return quirks.action_after_refusal
        if stream.closed.code != ABNORMAL:
            return True
        if quirks.after_loss is AfterLoss.END:
            raise HungUp
        return quirks.after_loss is AfterLoss.ACTION

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

    async def _dial(self, verb: Verb, base: str) -> Document | None:
        dialled = self._plan.dialled
        self._report.dialled.append(verb.text)
        answered = dialled.answer is Answer.ANSWERED
        await self._wait(dialled.rings_s + (dialled.talks_s if answered else 0.0))
        action = verb.attributes.get("action")
        if not action:
            return None
        outcome = {"DialCallStatus": dialled.answer.value}
        if answered:
            outcome |= {"DialCallSid": f"CA{secrets.token_hex(16)}"}
            outcome |= {"DialCallDuration": str(round(dialled.talks_s))}
        return await self._fetch(action, base, verb, more=outcome)

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
        if clock.now() >= self._deadline:  # a caller who is sent round and round gives up, too
            raise HungUp
        method = verb.attributes.get("method", "POST")
        parameters = self._identity.parameters(status) | dict(more or {})
        return await self._webhooks.fetch(resolve(base, url), parameters, method)

    async def _listen(self, mulaw: bytes) -> None:
        """Hear what Twilio plays by itself, in real time; hangs up when the caller has no more."""
        self._recording.come_back(clock.now())
        left_s = max(0.0, self._deadline - clock.now())
        self._recording.add(mulaw[: round(left_s * SAMPLE_RATE)])
        await self._wait(duration_ms(mulaw) / 1000)
        self._recording.leave(clock.now())

    async def _wait(self, seconds: float) -> None:
        """Let time pass, as far as the caller has any; hangs up when there is no more."""
        left_s = self._deadline - clock.now()
        await asyncio.sleep(max(0.0, min(left_s, seconds)))
        if left_s <= seconds:
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
