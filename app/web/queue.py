"""The routes of callers in line: they ask again, press a key, leave a message, and fetch what they hear."""

import asyncio
import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app import clock
from app.calls.desk import Left
from app.calls.notes import CallBack, Recording
from app.calls.shares import WITHHELD, group_of
from app.log import log
from app.telephony import twiml
from app.web.access import Form, Refused, call_sid_of, twilio_form
from app.web.line_answers import HOLD_PATH, KEY_PATH, QUEUE_PATH, again
from app.web.parts import Parts

RECORDED_PATH = "/voice/queue/recorded"
RECORDING_PATH = "/recording/status"
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
RECORDING_SID = re.compile(r"[A-Za-z0-9_-]{2,64}")
LONGEST_MESSAGE_S = 120
A_DAY_S = 86_400
KEYS = {"1": "message", "2": "callback"}
SPEAK = "Please leave your message after the tone, and hang up when you are done."
NOTHING_SAID = "We did not hear a message. Goodbye."
RECORDED = "Thank you for your message. Goodbye."
WILL_CALL = "Thank you. We will call you back. Goodbye."
CANNOT_CALL = "We cannot see your number, so we cannot call you back. Please stay on the line."
NOT_NOTED = "We are sorry, we could not note your number. Please call again. Goodbye."

Answer = Callable[[str, Form], Awaitable[str]]


class Queue:
    """The line of one assembled hotline; `answer` is what any caller who asks to be let in is told."""

    def __init__(self, parts: Parts, answer: Answer) -> None:
        self._parts = parts
        self._answer = answer

    def routes(self) -> list[Route]:
        return [
            Route(QUEUE_PATH, self.again, methods=["POST"]),
            Route(KEY_PATH, self.key, methods=["POST"]),
            Route(RECORDED_PATH, self.recorded, methods=["POST"]),
            Route(RECORDING_PATH, self.recording, methods=["POST"]),
            Route(f"{HOLD_PATH}/{{piece}}.wav", self.hold),
        ]

    async def again(self, request: Request) -> Response:
        """A caller in line asks what follows."""
        form, call_sid = await self._form(request)
        if form.get("CallStatus") in ENDED:
            await self._leave(call_sid, "hung_up")
            return _xml(twiml.hang_up())
        with self._parts.patience():
            return _xml(await self._answer(call_sid, form))

    async def key(self, request: Request) -> Response:
        """A caller in line has chosen something else; any other key keeps them there."""
        form, call_sid = await self._form(request)
        offer = KEYS.get(form.get("Digits"), "")
        if offer not in self._parts.waiting.offers:
            return _xml(await self._answer(call_sid, form))
        if offer == "message":
            await self._leave(call_sid, "message")
            return _xml(self._take_message())
        return _xml(await self._call_back(call_sid, form))

    async def recorded(self, request: Request) -> Response:
        """The message is complete."""
        await self._form(request)
        return _xml(twiml.say_and_hang_up(RECORDED))

    async def recording(self, request: Request) -> Response:
        """Twilio tells where it keeps a message."""
        form, call_sid = await self._form(request)
        recording_sid = form.get("RecordingSid")
        if form.get("RecordingStatus", "completed") != "completed":
            log.warning("message.not_recorded", call_sid=call_sid, status=form.get("RecordingStatus"))
            return Response(status_code=204)
        if not RECORDING_SID.fullmatch(recording_sid):
            raise Refused(400, "RecordingSid is not a recording's id (RE and 32 hex digits)")
        seconds = form.get("RecordingDuration")
        note = Recording(
            clock.wall().isoformat(),
            call_sid,
            recording_sid,
            form.get("RecordingUrl"),
            int(seconds) if seconds.isdecimal() and len(seconds) < 10 else 0,
            form.get("From"),
            form.get("To"),
        )
        try:
            path = await asyncio.to_thread(self._parts.waiting.notes.recording, note)
        except OSError as error:
            log.error("message.lost", call_sid=call_sid, fault=str(error))
            return PlainTextResponse("not kept\n", status_code=500)
        log.info("message.taken", call_sid=call_sid, path=str(path), duration_s=note.duration_s)
        return Response(status_code=204)

    async def hold(self, request: Request) -> Response:
        """One piece of what callers in line hear: public, the same for all, kept by Twilio."""
        piece = self._parts.waiting.piece(request.path_params["piece"])
        if piece is None:
            return PlainTextResponse("not found\n", status_code=404)
        headers = {"Cache-Control": f"public, max-age={A_DAY_S}"}
        return Response(piece, media_type="audio/wav", headers=headers)

    async def _form(self, request: Request) -> tuple[Form, str]:
        form = await twilio_form(request, self._parts.locks)
        call_sid = call_sid_of(form)
        if not call_sid:
            raise Refused(400, "CallSid is missing")
        return form, call_sid

    async def _leave(self, call_sid: str, reason: str) -> Left:
        left = await self._parts.desk.leave(call_sid)
        if left is Left.NOW:
            log.info("line.left", call_sid=call_sid, reason=reason)
        return left

    def _take_message(self) -> str:
        public = self._parts.locks.public_url
        return twiml.take_message(
            SPEAK,
            after_url=public + RECORDED_PATH,
            status_url=public + RECORDING_PATH,
            longest_s=LONGEST_MESSAGE_S,
            otherwise=NOTHING_SAID,
        )

    async def _call_back(self, call_sid: str, form: Form) -> str:
        number = form.get("From")
        if group_of(number) == WITHHELD:
            return twiml.hold(again_url=self._parts.locks.public_url + again(form), say=CANNOT_CALL)
        if await self._leave(call_sid, "callback") is Left.BEFORE:  # a repeated webhook: it is noted already
            return twiml.say_and_hang_up(WILL_CALL)
        wish = CallBack(clock.wall().isoformat(), call_sid, number, form.get("To"))
        try:
            await asyncio.to_thread(self._parts.waiting.notes.call_back, wish)
        except OSError as error:
            log.error("callback.lost", call_sid=call_sid, fault=str(error))
            return twiml.say_and_hang_up(NOT_NOTED)
        log.info("callback.noted", call_sid=call_sid, **{"pii.from": number})
        return twiml.say_and_hang_up(WILL_CALL)


def _xml(document: str) -> Response:
    return Response(document, media_type="application/xml")
