"""Everything Twilio's side may send, or whoever plays Twilio: socket messages, webhooks, records between."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from starlette.applications import Starlette
from starlette.types import Message

from app.calls.admission import Admission
from app.calls.call import TOLERATED_FAULTS, Call
from app.calls.desk import LocalDesk
from app.calls.ear_tick import EarTick
from app.calls.means import Means
from app.calls.notes import Notes
from app.calls.reception import Reception
from app.calls.registry import Ending, Registry
from app.calls.resume import Nowhere, Record
from app.calls.script import Script
from app.calls.tokens import LocalTokens
from app.conversation import script_model
from app.conversation.immediate import Immediate
from app.conversation.script import ScriptConversation
from app.conversation.script_file import load_script
from app.errors import RemoteProtocolError
from app.hearing.ear import Ears
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.observe.ring import Ring
from app.speech.chain import Chain
from app.telephony.messages import MAX_MESSAGE, Started
from app.telephony.signature import sign
from app.telephony.stream import MediaStream, State
from app.web.app import create_app
from app.web.parts import Locks, Parts, Waiting, Words
from tests.fuzz.rules import few_lines, rule
from tests.fuzz.virtual import played
from tests.standins.phone import STREAM_SID, Phone
from tests.standins.voice import ToneVoice

TOKEN = "12345"
PUBLIC = "https://voice.example.com"
STREAM = b"$STREAM"  # stands for the stream's sid
WEBHOOKS = (
    "/voice",
    "/voice/after",
    "/voice/status",
    "/stream/status",
    "/debug-websocket-voice",
    "/voice/queue",
    "/voice/queue/key",
    "/voice/queue/recorded",
    "/recording/status",
)
REFUSALS = (400, 401, 403, 404, 413)
OPEN = ("/", "/livez", "/readyz", "/health/streaming")
LARGEST_ANSWER = 16 * 1024  # bytes
MOST_LINES_A_REQUEST = 6
LINES_OF_A_CALL = 60  # of one that hears nothing but garbage
LINES_OF_A_MESSAGE = 8  # of a key that is pressed: an interruption, a reply, its sentences
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONGEST_S = 3_600.0  # virtual seconds; silence alone ends a call sooner


def twilio_stream(given: bytes) -> None:
    """The protocol without a socket: each line is a message."""
    stream = MediaStream()
    order = list(State)
    ignored = 0
    for line in given.split(b"\n"):
        before = stream.state
        try:
            event = stream.receive(line)
        except RemoteProtocolError:
            rule(stream.state is before, "a broken message has changed the state")
            continue
        rule(order.index(before) <= order.index(stream.state), f"from {before} back to {stream.state}")
        rule(len(line) <= MAX_MESSAGE, f"a message of {len(line)} bytes was taken")
        if isinstance(event, Started):
            rule(stream.stream_sid == event.stream_sid != "", "a stream without a sid")
            stream.mark("m1")
        rule(stream.ignored - ignored in (0, 1), "one message was counted twice")
        ignored = stream.ignored


def twilio_call(given: bytes) -> None:
    """A whole call, in virtual time: each line is a message, 20 ms after the one before; then silence."""
    lines = [line.replace(STREAM, STREAM_SID.encode()) for line in given.split(b"\n")]

    async def scene() -> None:
        phone = Phone()
        stream, started = phone.stream()
        ears = EarTick(Ears(VadBank(_network())))
        async with asyncio.timeout(LONGEST_S), Chain([ToneVoice(seconds=0.2)]) as chain:
            call = Call(started, stream, phone, _script(), Means(voice=chain, ears=ears))
            async with asyncio.TaskGroup() as group:
                ticking = group.create_task(ears.run())
                speaking = group.create_task(_send(phone, lines))
                ending = await call.run()
                ticking.cancel()
                speaking.cancel()
            rule(ending is not Ending.INTERNAL_ERROR, "the call met a bug of ours")

    with few_lines(LINES_OF_A_CALL + LINES_OF_A_MESSAGE * len(lines)) as names:
        played(scene)
    proper = [name for name in names if name.startswith("turn.") or name == "speech.rendered"]
    told = len(names) - len(proper)
    rule(told <= LINES_OF_A_CALL, f"{told} lines that are of no turn: {sorted(set(names))}")
    refused = names.count("stream.message_refused")
    rule(refused <= TOLERATED_FAULTS, f"{refused} broken messages were told of")


def webhook(given: bytes) -> None:
    """One request: a byte for the path, one for what is right about it, then the query, NUL, and the body."""
    path = WEBHOOKS[given[0] % len(WEBHOOKS)] if given else WEBHOOKS[0]
    mode = given[1] if len(given) > 1 else 0
    query, _, body = given[2:].partition(b"\x00")
    asyncio.run(_ask(path, mode % 3, query, body))


def door(given: bytes) -> None:
    """Anything a stranger may ask: the request's line, headers, an empty line, and the body."""
    head, _, body = given.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (x.partition(b":") for x in lines)]
    named = "/" + unquote(path.decode("latin-1")).lstrip("/")
    request = _Request(method.decode("latin-1").upper()[:10] or "GET", named, path, query, headers, body)
    locks = _locks((TOKEN,))
    with few_lines(MOST_LINES_A_REQUEST):
        status, answer = asyncio.run(_post(_app(locks), request, peer="203.0.113.9"))
    rule(status < 500, f"status {status}")
    rule(status >= 400 or named in OPEN or named.startswith("/audio/hold"), f"status {status} at {named}")
    rule(len(answer) < LARGEST_ANSWER, f"an answer of {len(answer)} bytes")


def goes_on(record: Record) -> None:
    """A caller whose call has this record comes back to another server."""
    body = f"CallSid={record.call_sid}".encode()
    for path in ("/voice", "/voice/after"):
        asyncio.run(_ask(path, 0, b"", body, record))
        asyncio.run(_ask(path, 0, b"", body + b"&DialCallStatus=busy", record))


async def _ask(path: str, mode: int, query: bytes, body: bytes, record: Record | None = None) -> None:
    """`mode`: 0 from this machine, no tokens; 1 signed as it ought to be; 2 signed with anything."""
    headers = [(b"host", b"localhost:8000")]
    locks = _locks(() if mode == 0 else (TOKEN,))
    query = query.replace(b" ", b"+").replace(b"\n", b"+")
    if mode:
        url = f"{PUBLIC}{path}" + (f"?{query.decode('latin-1')}" if query else "")
        with contextlib.suppress(ValueError):
            form = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
            headers.append((b"x-twilio-signature", sign(TOKEN, url, form).encode()))
        if mode == 2:
            headers[1:] = [(b"x-twilio-signature", body[:28])]
    request = _Request("POST", path, path.encode(), query, headers, body)
    with few_lines(MOST_LINES_A_REQUEST), tempfile.TemporaryDirectory(prefix="hotline-fuzz-") as folder:
        status, answer = await _post(_app(locks, record, Notes(Path(folder))), request)
    rule(status in (200, 204, *REFUSALS), f"status {status}")
    if mode == 2:
        rule(status in REFUSALS, "a wrong signature opened the door")
    if status == 200:
        rule(ElementTree.fromstring(answer).tag == "Response", "an answer that is no TwiML")


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


async def _post(app: Starlette, request: _Request, *, peer: str = "127.0.0.1") -> tuple[int, bytes]:
    """The application's answer, as a server would get it; what it raises comes out."""
    scope = {
        "type": "http",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.raw_path,
        "query_string": request.query,
        "headers": request.headers,
        "client": (peer, 50_000),
        "server": ("127.0.0.1", 8_000),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"]), b"".join(message.get("body", b"") for message in sent[1:])


async def _send(phone: Phone, lines: list[bytes]) -> None:
    for line in lines:
        phone.put(line)
        await asyncio.sleep(0.02)


class _Found(Nowhere):
    """A store with one record, whoever asks."""

    def __init__(self, record: Record) -> None:
        self._record = record

    async def load(self, call_sid: str) -> Record | None:
        return self._record


def _app(locks: Locks, record: Record | None = None, notes: Notes | None = None) -> Starlette:
    ears = EarTick(Ears(VadBank(_network())))
    records = Nowhere() if record is None else _Found(record)
    admission = Admission(2)
    parts = Parts(
        locks=locks,
        words=Words(busy="All lines are busy.", reject_when_full=False),
        means=Means(voice=Chain([ToneVoice()]), ears=ears, records=records),
        registry=Registry(),
        desk=LocalDesk(Reception(admission), admission),
        tokens=LocalTokens(),
        ring=Ring(),
        script_for=lambda _path: _script(),
        elevenlabs_configured=False,
        waiting=Waiting(notes=notes) if notes else Waiting(),
    )
    return create_app(parts, _nothing)


@contextlib.asynccontextmanager
async def _nothing(_app: Starlette) -> AsyncIterator[dict[str, object]]:
    yield {}


def _locks(tokens: tuple[str, ...]) -> Locks:
    return Locks(
        public_url=PUBLIC,
        twilio_tokens=tokens,
        account_sid="",
        admin_tokens=("sesame",),
        trusts_this_machine=False,
    )


def _script() -> Script:
    return Script(Immediate(ScriptConversation(_default(), NOON)), name="script")


@cache
def _default() -> script_model.Script:
    return load_script()


@cache
def _network() -> Silero:
    return Silero.load()
