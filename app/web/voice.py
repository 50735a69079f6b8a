"""Twilio's webhooks: what a call should do next, as TwiML.

Source: https://www.twilio.com/docs/voice/twiml
"""

import asyncio
from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import clock
from app.calls.desk import Left
from app.calls.reception import Caller, LetIn, No, TurnAway, Verdict, Wait
from app.calls.registry import Ending
from app.calls.resume import MOST_STREAMS, Record
from app.errors import AtCapacity
from app.log import UNLOGGED, log
from app.telephony import twiml
from app.web.access import Form, Refused, call_sid_of, is_unlogged, twilio_form
from app.web.line_answers import LineAnswers
from app.web.parts import Parts

MEDIA_PATH = "/media-stream"
DEBUG_PATH = "/test-websocket-debug"
DEBUG_WEBHOOK = "/debug-websocket-voice"
RESUME = "resume"  # the stream parameter of a call that has had a stream before
LET_GO_WITHIN_S = 2.0  # seconds that Twilio waits with "what follows" for a stream that may be over
SILENT_S = 0.5  # seconds without a message, of which there are 50 a second
ENDED_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
SORRY = (
    "We are sorry, something went wrong on our side and this call cannot go on. Please call again. Goodbye."
)
NOBODY = "We are sorry, nobody can take your call right now. Please call again. Goodbye."
TOO_LONG = "This call has reached its longest time. Thank you for calling. Goodbye."


class Voice:
    """The webhook routes of one assembled hotline."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._line = LineAnswers(parts)

    def routes(self) -> list[Route]:
        return [
            Route("/voice", self.voice, methods=["POST"]),
            Route("/voice/after", self.after, methods=["POST"]),
            Route("/voice/status", self.call_status, methods=["POST"]),
            Route("/stream/status", self.stream_status, methods=["POST"]),
            Route(DEBUG_WEBHOOK, self.debug, methods=["GET", "POST"]),
        ]

    async def voice(self, request: Request) -> Response:
        """A call rings: a slot and a stream, or a sentence the caller can hear."""
        form = await twilio_form(request, self._parts.locks)
        call_sid = call_sid_of(form)
        if not call_sid:
            raise Refused(400, "CallSid is missing")
        with self._parts.patience():
            return _xml(await self._begin(call_sid, form))

    async def _begin(self, call_sid: str, form: Form) -> str:
        """A call that rings; one that we know is in the midst of a conversation goes on."""
        record = await self._record(call_sid)
        # Of a stream that broke while its server lived, Twilio asks `/voice/after`: this is somebody anew.
        if record is not None and record.ending in ("", Ending.HANDED_OVER) and self._is_interrupted(record):
            return await self._resume(record, form)
        return await self.answer(call_sid, form)

    async def debug(self, request: Request) -> Response:
        """The same for the test sentence; asked for by hand there is no CallSid, and no slot is kept."""
        form = await twilio_form(request, self._parts.locks, operator_too=True)
        call_sid = call_sid_of(form)
        if self._parts.drain.draining:
            return _xml(self._elsewhere(DEBUG_WEBHOOK, call_sid))
        caller = Caller(call_sid, form.get("From"), form.get("To"))
        if call_sid and (no := self._parts.money.gate(caller)):
            return _xml(self._line.turn_away(no, call_sid, form))
        try:
            await self._parts.desk.take(call_sid)
        except AtCapacity as error:
            return _xml(self._line.turn_away(TurnAway(No.HOUSE_FULL, str(error)), call_sid, form))
        return _xml(await self._connect(call_sid, DEBUG_PATH, form))

    async def after(self, request: Request) -> Response:
        """The stream is over: hang up, or say why the call cannot go on."""
        form = await twilio_form(request, self._parts.locks)
        call_sid = call_sid_of(form)
        if form.get("CallStatus") in ENDED_STATUSES:
            return _xml(twiml.hang_up())
        await self._let_go(call_sid)
        with self._parts.patience():
            return _xml(await self._go_on(call_sid, form))

    async def _let_go(self, call_sid: str) -> None:
        """Let a stream of ours end that Twilio says is over: one that broke elsewhere looks alive from here.

        One that still sends is alive, and this question a replay.
        """
        asked_at = clock.now()
        while (live := self._parts.registry.leaver_of(call_sid)) and clock.now() - asked_at < LET_GO_WITHIN_S:
            if live.silent_s >= SILENT_S:
                live.lost()
            await asyncio.sleep(0.02)

    async def _go_on(self, call_sid: str, form: Form) -> str:
        record = await self._record(call_sid)
        if form.get("DialCallStatus"):
            return await self._come_back(record, call_sid, form)
        if record is not None and self._is_interrupted(record):
            return await self._resume(record, form)
        return self._conclude(call_sid, record)

    async def call_status(self, request: Request) -> Response:
        """Twilio tells how the call goes; one that ended before its stream came gives its slot back."""
        form = await twilio_form(request, self._parts.locks)
        call_sid, status = call_sid_of(form), form.get("CallStatus")
        log.info(
            "call.status_reported", call_sid=call_sid, status=status, duration_s=form.get("CallDuration")
        )
        if status in ENDED_STATUSES:
            await self._parts.tokens.spend(call_sid)
            if await self._parts.desk.leave(call_sid) is Left.NOW:
                log.info("line.left", call_sid=call_sid, reason="hung_up")
        return Response(status_code=204)

    async def stream_status(self, request: Request) -> Response:
        """Twilio tells how the stream goes: the only news of a handshake that never reached us."""
        form = await twilio_form(request, self._parts.locks)
        fault = form.get("StreamError")
        say = log.warning if fault or form.get("StreamEvent") == "stream-error" else log.info
        say(
            "stream.status_reported",
            call_sid=call_sid_of(form),
            status=form.get("StreamEvent"),
            stream_sid=form.get("StreamSid"),
            fault=fault,
        )
        return Response(status_code=204)

    def _conclude(self, call_sid: str, record: Record | None) -> str:
        """The stream is over, and none follows."""
        registry = self._parts.registry
        ending = registry.ending_of(call_sid) or (Ending(record.ending) if record and record.ending else None)
        number = registry.transfer_of(call_sid) or (record.transfer_to if record else "")
        if number:
            log.info("call.transferred", call_sid=call_sid, **{"pii.to": number})
            public = self._parts.locks.public_url
            return twiml.dial(number, after_url=f"{public}/voice/after", otherwise=NOBODY)
        if ending is not None and ending.is_normal:
            return twiml.hang_up()
        log.warning(
            "call.apologised", call_sid=call_sid, reason=ending.value if ending else "stream_never_came"
        )
        return twiml.say_and_hang_up(TOO_LONG if ending is Ending.SESSION_TIMEOUT else SORRY)

    async def _come_back(self, record: Record | None, call_sid: str, form: Form) -> str:
        """The dialled phone is done with the caller: over, or back to us if nobody was there."""
        dialled = form.get("DialCallStatus")
        if dialled in ("completed", "answered"):
            return twiml.hang_up()
        log.info("call.transfer_failed", call_sid=call_sid, status=dialled)
        if record is None or not record.transfer_to:
            return twiml.say_and_hang_up(NOBODY)
        failed = msgspec.structs.replace(record, transfer_failed=True)
        self._parts.means.records.save(failed)
        return await self._resume(failed, form)

    async def _record(self, call_sid: str) -> Record | None:
        """Where the call stood when Twilio asked what follows."""
        asked_at = clock.wall().timestamp()
        record = await self._parts.means.records.load(call_sid)
        return None if record is None else record.settled(asked_at)

    def _is_interrupted(self, record: Record) -> bool:
        """Whether the call is in the midst of a conversation, and has no stream."""
        live = any(call.call_sid == record.call_sid for call in self._parts.registry.live)
        goes_on = not record.ending or Ending(record.ending).goes_on
        return goes_on and not live and record.streams < MOST_STREAMS

    async def _resume(self, record: Record, form: Form) -> str:
        """A new stream for a call that has had one."""
        call_sid = record.call_sid
        if self._parts.drain.draining:
            return self._elsewhere("/voice/after", call_sid)
        try:
            await self._parts.desk.take(call_sid, again=True)
        except AtCapacity:
            return self._elsewhere("/voice/after", call_sid)
        token = await self._parts.tokens.issue(call_sid, again=True)
        self._parts.voice.warm()
        # Counted here: a stream that never comes must not be tried for ever.
        going_on = msgspec.structs.replace(record, streams=record.streams + 1)
        self._parts.means.records.save(going_on)
        log.info("call.resuming", call_sid=call_sid, streams=record.streams, from_replica=record.replica)
        return self._stream(MEDIA_PATH, token, form, {RESUME: "1"})

    def _elsewhere(self, path: str, call_sid: str) -> str:
        """Another server is to answer, or this one in a moment."""
        log.info("call.sent_elsewhere", call_sid=call_sid, path=path)
        return twiml.ask_again(self._parts.locks.public_url + path)

    async def answer(self, call_sid: str, form: Form) -> str:
        """What becomes of a caller who rings, or asks again from the line."""
        if self._parts.drain.draining:
            return self._elsewhere(self._line.way_back(call_sid, form), call_sid)
        match await self._receive(call_sid, form):
            case LetIn():
                return await self._connect(call_sid, MEDIA_PATH, form)
            case Wait() as wait:
                return await self._line.hold(wait, form)
            case TurnAway() as no:
                return self._line.turn_away(no, call_sid, form)

    async def _receive(self, call_sid: str, form: Form) -> Verdict:
        caller = Caller(call_sid, form.get("From"), form.get("To"))
        waited_s = self._line.waited_s(form)
        return await self._parts.desk.receive(caller, waited_s=waited_s, fetched=bool(form.get("fetched")))

    async def _connect(self, call_sid: str, path: str, form: Form) -> str:
        """A stream for a call that has its slot."""
        parts = self._parts
        token = await parts.tokens.issue(call_sid)
        parts.voice.warm()
        log.info(
            "call.admitted",
            call_sid=call_sid,
            path=path,
            taken=parts.reception.slots.taken,
            max_calls=parts.reception.slots.max_calls,
            **{"pii.from": form.get("From"), "pii.to": form.get("To")},
        )
        return self._stream(path, token, form)

    def _stream(self, path: str, token: str, form: Form, parameters: Mapping[str, str] | None = None) -> str:
        public = self._parts.locks.public_url
        private = {UNLOGGED: "1"} if is_unlogged(form, self._parts.locks) else {}
        return twiml.connect_stream(
            stream_url="ws" + public.removeprefix("http") + path,
            token=token,
            after_url=f"{public}/voice/after",
            status_url=f"{public}/stream/status",
            parameters={**private, **(parameters or {})},
        )


def _xml(document: str) -> Response:
    return Response(document, media_type="application/xml")
