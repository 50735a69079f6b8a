"""A stand-in for Deepgram's Aura on loopback: `Speak`, `Flush`, `Clear`, `Close`, and raw mu-law back."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tests.standins.voice_house import Gone, Script, VoiceHouse, VoiceSocket, pieces
from tests.standins.wire import Request, Wire

KEY = "5ta2d12dee96a000000000000000000000000000"
MODEL = "aura-2-thalia-en"
FLUSHES = 20  # in a minute
NET_0001 = (
    1011,
    "Deepgram did not receive a text message within the timeout window. See https://dpgr.am/net0001",
)
REFUSALS = {
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("TTS_PAYMENT_REQUIRED", "Project does not have enough credits for a TTS request."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later"),
    400: ("Bad Request", "No such model/language/tier combination found."),
    503: ("SERVICE_UNAVAILABLE", "Service unavailable"),
}


def refusal(status: int) -> tuple[int, object, dict[str, str]]:
    """The vendor's answer in place of a socket."""
    code, message = REFUSALS[status]
    body = {"err_code": code, "err_msg": message, "request_id": "standin"}
    return status, body, {"dg-error": code, "dg-request-id": "standin"}


@dataclass
class Seen:
    """One socket, as the stand-in saw it."""

    request: Request
    messages: list[dict[str, object]] = field(default_factory=list)
    gone: bool = False  # the client has closed

    @property
    def texts(self) -> list[str]:
        return [str(message["text"]) for message in self.messages if message.get("type") == "Speak"]

    @property
    def orders(self) -> list[object]:
        return [message.get("type") for message in self.messages]


class DeepgramVoice(VoiceHouse):
    """The server; its limit counts open sockets, as the vendor's does."""

    def __init__(
        self,
        *scripts: Script,
        limit: int | None = None,
        idle_s: float | None = None,
        flushes: int = FLUSHES,
    ) -> None:
        super().__init__(*scripts, limit=limit)
        self.idle_s = idle_s
        self.flushes = flushes
        self.seen: list[Seen] = []
        self.open_sockets = 0

    async def route(self, wire: Wire, request: Request) -> bool:
        script = self.script if not self.scripts else self.scripts[0]
        if script.hang or script.refuse is not None:
            self.next_script()
        if script.hang:
            await wire.gone()
        elif script.refuse is not None:
            await wire.answer(*script.refuse, script.refuse_headers)
        elif (status := self._fault(request)) is not None:
            await wire.answer(*refusal(status))
        else:
            await self._converse(wire, request)
        return False

    def _fault(self, request: Request) -> int | None:
        query = request.query
        if request.headers.get("authorization") != f"Token {KEY}":
            return 401
        if not request.is_upgrade or request.path != "/v1/speak" or not query["model"].startswith("aura-"):
            return 400
        if (query.get("encoding"), query.get("sample_rate")) != ("mulaw", "8000"):
            return 400
        full = self.generations.limit is not None and self.open_sockets >= self.generations.limit
        return 429 if full else None

    async def _converse(self, wire: Wire, request: Request) -> None:
        socket = VoiceSocket(wire)
        await socket.accept(request)
        seen = Seen(request)
        self.seen.append(seen)
        self.open_sockets += 1
        try:
            await _Session(self, socket, seen).run()
        finally:
            self.open_sockets -= 1
            seen.gone = True


class _Session:
    def __init__(self, house: DeepgramVoice, socket: VoiceSocket, seen: Seen) -> None:
        self.house = house
        self.socket = socket
        self.seen = seen
        self.buffered = ""
        self.flushed_at: list[float] = []
        self.sequence = 0
        self.work: asyncio.Task[None] | None = None

    async def run(self) -> None:
        await self._tell({"type": "Metadata", "request_id": "standin", "model_name": MODEL})
        try:
            while (order := await self._next()) is not None and await self._obey(order):
                pass
        except TimeoutError:
            await self.socket.close(*NET_0001)
        finally:
            await self._stop()

    async def _next(self) -> dict[str, object] | None:
        while True:
            try:
                async with asyncio.timeout(self.house.idle_s):
                    text = await self.socket.receive()
                break
            except TimeoutError:
                if self.work is None or self.work.done():
                    raise
        if text is None:
            return None
        order: dict[str, object] = json.loads(text)
        self.seen.messages.append(order)
        return order

    async def _obey(self, order: dict[str, object]) -> bool:
        match order.get("type"):
            case "Speak":
                self.buffered += str(order["text"])
            case "Flush":
                await self._flush()
            case "Clear":
                await self._stop()
                self.buffered = ""
                await self._tell({"type": "Cleared", "sequence_id": self.sequence})
            case "Close":
                if self.work is not None:
                    await self.work
                await self._tell({"type": "Metadata", "request_id": "standin", "model_name": MODEL})
                await self.socket.close(1000)
                return False
        return True

    async def _flush(self) -> None:
        now = time.monotonic()
        self.flushed_at = [at for at in self.flushed_at if now - at < 60] + [now]
        if len(self.flushed_at) > self.house.flushes:
            words = "Exceeded the limit of Flush messages. Wait before sending another."
            await self._tell({"type": "Warning", "code": "EXCESSIVE_FLUSH", "description": words})
            return
        text, self.buffered = self.buffered, ""
        self.work = asyncio.create_task(self._generate(text, self.house.next_script()))

    async def _generate(self, text: str, script: Script) -> None:
        with suppress(Gone):
            async with self.house.generations.one():
                await self._speak(text, script)
            await self._tell({"type": "Flushed", "sequence_id": self.sequence})
            self.sequence += 1

    async def _speak(self, text: str, script: Script) -> None:
        if script.close is not None:
            await self.socket.close(*script.close)
            raise Gone
        await asyncio.sleep(script.delay_s)
        if script.frame:
            await self.socket.send(script.frame)
        if script.silent or not text.strip():
            return
        audio = script.body if script.body is not None else await self.house.bank.audio(text, "ulaw_8000")
        sent = 0
        for piece in pieces(audio, script):
            await self._break(script, sent)
            if not self.socket.open:
                raise Gone
            await self.socket.send_binary(piece)
            sent += len(piece)
            await asyncio.sleep(script.gap_s)

    async def _break(self, script: Script, sent: int) -> None:
        if script.cut_after is not None and sent >= script.cut_after:
            await asyncio.sleep(0.05)  # what was sent has left the machine
            self.socket.wire.cut()
            raise Gone
        if script.stall_after is not None and sent >= script.stall_after:
            await self.socket.gone.wait()
            raise Gone

    async def _stop(self) -> None:
        if self.work is not None:
            self.work.cancel()
            with suppress(asyncio.CancelledError):
                await self.work

    async def _tell(self, message: dict[str, object]) -> None:
        await self.socket.send(json.dumps(message))
