"""Text to speech for other programs, as OpenAI's clients ask for it, in the voice that callers hear.

Source: https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

import asyncio
import base64
import json
import re
import uuid

from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.audio.encoder import MEDIA_TYPES, Encoder, pieces_of
from app.errors import Failure, ProviderError
from app.observe.requests import Account
from app.web.access import Refused, require_operator
from app.web.parts import Parts
from app.web.speech_order import SpeechOrder, SpeechRefused, read_order, refusal
from app.web.speech_reading import Reading

SPEECH_PATH = "/v1/audio/speech"
REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
MOST_AT_ONCE = 64  # requests; each may hold a minute of audio, and only a few have a permit at a time
STALLED_S = 60.0  # seconds a client may take nothing of what is ready for it


class SpeechApi:
    """The speech route of one assembled hotline."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._encoding = asyncio.Lock()

    def routes(self) -> list[Route]:
        return [Route(SPEECH_PATH, self, methods=["POST"])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request from its head to its last byte; its one event is logged at the end."""
        request = Request(scope, receive)
        given = request.headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else f"req_{uuid.uuid4().hex}"
        with self._parts.observers.requests.account(request_id) as account:
            try:
                order = await self._admit(request, account)
                await self._answer(order, account, receive, send)
            except Refused as error:
                account.status, account.reason = error.status, str(error)
                account.outcome = "failed" if error.status >= 500 else "refused"
                response = refusal(error)
                response.headers["x-request-id"] = request_id
                await response(scope, receive, send)
            except ClientDisconnect:
                account.outcome = "gone"

    async def _admit(self, request: Request, account: Account) -> SpeechOrder:
        parts = self._parts
        require_operator(request, parts.locks)
        if parts.observers.requests.open > MOST_AT_ONCE:
            raise SpeechRefused(429, f"more than {MOST_AT_ONCE} requests at once", code="rate_limit_exceeded")
        if parts.money.gate.reason:
            raise SpeechRefused(429, parts.money.gate.reason, code="insufficient_quota")
        order = await read_order(request, parts.speech_input_max)
        account.characters, account.response_format = len(order.input), order.form
        return order

    async def _answer(self, order: SpeechOrder, account: Account, receive: Receive, send: Send) -> None:
        """Make, encode and send, all at once, until all is sent or the client is gone.

        Raises:
            SpeechRefused: the voice failed before the first byte.
        """
        reading = Reading(self._parts.voice, order.input)
        outlet = _Outlet(order, account, send)
        async with asyncio.TaskGroup() as group:
            making = group.create_task(reading.run())
            leaving = group.create_task(_left(receive))
            sending = group.create_task(_send(reading, order, outlet, self._encoding))
            await asyncio.wait([leaving, sending], return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                account.outcome = "gone"
            for task in (making, leaving, sending):
                task.cancel()
        if reading.failure is not None and account.outcome == "failed":
            raise _unanswered(reading.failure)


class _Outlet:
    """The answer's head and body, each as late or as early as it is known."""

    def __init__(self, order: SpeechOrder, account: Account, send: Send) -> None:
        self._as_events = order.as_events
        self._media_type = "text/event-stream" if order.as_events else MEDIA_TYPES[order.form]
        self._account = account
        self._transmit = send
        self._begun = False

    async def audio(self, encoded: bytes, audio_ms: float) -> bool:
        """Send what there is; False when the client takes nothing any more."""
        self._account.audio_ms = audio_ms
        if not encoded:
            return True
        if self._as_events:
            encoded = _event({"type": "speech.audio.delta", "audio": base64.b64encode(encoded).decode()})
        return await self._write(encoded)

    async def end(self) -> None:
        """All has been sent."""
        if self._as_events:
            usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
            await self._write(_event({"type": "speech.audio.done", "usage": usage}))
        await self._begin()
        self._account.outcome = "complete"
        await self._transmit({"type": "http.response.body", "body": b"", "more_body": False})

    def break_off(self, failure: ProviderError) -> None:
        """The rest will not come. Without the end of its body no client takes what it has for the whole.

        Before the first byte there is nothing to break off: the caller answers with a status.
        """
        if self._begun:
            self._account.outcome, self._account.reason = "broken_off", failure.kind.value

    async def _write(self, body: bytes) -> bool:
        try:
            async with asyncio.timeout(STALLED_S):
                await self._begin()
                await self._transmit({"type": "http.response.body", "body": body, "more_body": True})
        except TimeoutError:
            self._account.outcome, self._account.reason = "gone", "stalled"
            return False
        self._account.sent_first_byte()
        return True

    async def _begin(self) -> None:
        if self._begun:
            return
        self._begun, self._account.status = True, 200
        head = {
            "content-type": self._media_type,
            "x-request-id": self._account.request_id,
            "cache-control": "no-store",
            "x-accel-buffering": "no",  # proxies that would collect the answer first
        }
        headers = [(name.encode(), value.encode()) for name, value in head.items()]
        await self._transmit({"type": "http.response.start", "status": 200, "headers": headers})


async def _send(reading: Reading, order: SpeechOrder, outlet: _Outlet, encoding: asyncio.Lock) -> None:
    encoder = Encoder(order.form, order.pace)
    async for mulaw in reading.pieces():
        for piece in pieces_of(mulaw):
            # One piece a turn of the loop, however many ask: calls on the same loop are not kept waiting.
            async with encoding:
                encoded = encoder.feed(piece)
                await asyncio.sleep(0)
            if not await outlet.audio(encoded, encoder.audio_ms):
                return
    if reading.failure is not None:
        outlet.break_off(reading.failure)
    elif await outlet.audio(encoder.finish(), encoder.audio_ms):
        await outlet.end()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(fields: object) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


def _unanswered(failure: ProviderError) -> SpeechRefused:
    """The vendor's words stay in the log: they are the operator's, and may echo a key."""
    if failure.kind is Failure.OVER_LIMIT:
        return SpeechRefused(429, "every voice is busy with others", code="rate_limit_exceeded")
    return SpeechRefused(503, f"no voice could say it: {failure.kind.value}", code="speech_unavailable")
