"""A stand-in for Cartesia on loopback: its text-to-speech WebSocket with contexts, real audio, real errors.

    async with CartesiaStandin() as vendor:
        vendor.scripts["a voice"] = Script(cut_after=4000)
        ... base_url=vendor.url, api_key=KEY ...

As the vendor documents it, a cancelled context that is being generated is sent to its end all the same.
"""

import asyncio
import json
import random
from base64 import b64encode
from collections.abc import Iterator

from tests.standins.cartesia_script import NAMED, Gone, Refused, Script, Seen
from tests.standins.elevenlabs_script import OverLimit, Slots
from tests.standins.standin import SpeakingStandin
from tests.standins.wire import Request, Socket, Wire
from tests.standins.word_times import spread

KEY = "sk_car_5ta2d12000000000000000"
VOICE = "f786b574-daa5-4673-aa0c-cbe3e8534c02"
UNKNOWN_VOICE = "nobody"
FORMATS = {"pcm_mulaw": "ulaw_8000", "pcm_s16le": "pcm_{rate}"}


class CartesiaStandin(SpeakingStandin):
    """The server; what it was asked to say is in `seen`, in the order of arrival."""

    def __init__(
        self,
        *,
        delay_ms: tuple[int, int] = (10, 20),
        limit: int | None = None,
        queue_ms: int = 50,
        idle_s: float = 300.0,
        keys: tuple[str, ...] = (KEY,),
        most_sockets: int | None = None,
    ) -> None:
        super().__init__()
        self.scripts: dict[str, Script] = dict(NAMED)
        self.seen: list[Seen] = []
        self.slots = Slots(limit, queue_ms)
        self.delay_ms = delay_ms
        self.idle_s = idle_s
        self.refuse: tuple[int, object] | None = None  # every handshake
        self.hang = False  # at every handshake
        self.open_sockets = 0
        self.accepted = 0
        self.keys = keys
        self._most_sockets = most_sockets

    async def route(self, wire: Wire, request: Request) -> bool:
        if self.hang:
            await wire.gone()
        elif refusal := self.refuse or self._refusal(request):
            await wire.answer(*refusal)
        else:
            socket = Socket(wire)
            await socket.accept(request)
            self.accepted += 1
            self.open_sockets += 1
            try:
                await Session(self, socket, self.accepted).run()
            finally:
                self.open_sockets -= 1
        return False

    def _refusal(self, request: Request) -> tuple[int, object] | None:
        """What the handshake is refused for."""
        if request.path != "/tts/websocket" or not request.is_upgrade:
            return 404, _error(404, None, "Not found")
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = bearer or request.headers.get("x-api-key") or request.query.get("api_key")
        if key not in self.keys:
            return 401, _error(401, "unauthorized", f"Invalid API key: {key}")
        if not (request.query.get("cartesia_version") or request.headers.get("cartesia-version")):
            return 400, _error(400, None, "missing Cartesia-Version")
        if self._most_sockets is not None and self.open_sockets >= self._most_sockets:
            return 429, _error(429, None, "Too many WebSocket connections")
        return None


class Session:
    """One accepted socket: its contexts are generated beside each other, each one's inputs in order."""

    def __init__(self, house: CartesiaStandin, socket: Socket, number: int) -> None:
        self._house = house
        self._socket = socket
        self._number = number
        self._contexts: dict[str, asyncio.Queue[dict[str, object]]] = {}

    async def run(self) -> None:
        tasks: set[asyncio.Task[None]] = set()
        try:
            while (message := await self._next()) is not None:
                context_id = str(message.get("context_id") or "")
                if message.get("cancel"):
                    self._cancel(context_id)
                elif not context_id:
                    await self._send(
                        _error(400, None, "context_id is invalid") | {"type": "error", "done": True}
                    )
                elif context_id in self._contexts:
                    self._contexts[context_id].put_nowait(message)
                else:
                    self._house.seen.append(seen := Seen(self._number, message))
                    self._contexts[context_id] = asyncio.Queue()
                    tasks.add(asyncio.create_task(self._context(context_id, seen)))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _next(self) -> dict[str, object] | None:
        while True:
            try:
                async with asyncio.timeout(self._house.idle_s):
                    text = await self._socket.receive()
                return None if text is None else dict(json.loads(text))
            except TimeoutError:
                if not self._contexts:
                    await self._socket.close(1000)
                    return None

    def _cancel(self, context_id: str) -> None:
        for seen in self._house.seen:
            if seen.message["context_id"] == context_id:
                seen.cancelled = True

    async def _context(self, context_id: str, seen: Seen) -> None:
        try:
            async with self._house.slots.hold():
                message, at_s = seen.message, 0.0
                while True:
                    at_s += await self._input(seen, message, at_s)
                    if not message.get("continue"):
                        break
                    message = await self._contexts[context_id].get()
            await self._send({"type": "done", "done": True, "status_code": 200, "context_id": context_id})
            seen.finished = True
        except OverLimit:
            message_text = "You have exceeded your plan's concurrency limit."
            await self._refuse(seen, Refused(429, "concurrency_limited", message_text))
        except Refused as refusal:
            await self._refuse(seen, refusal)
        except (Gone, asyncio.CancelledError):
            seen.gone = True
        finally:
            self._contexts.pop(context_id)

    async def _input(self, seen: Seen, message: dict[str, object], at_s: float) -> float:
        """Generate one input of a context; gives its length in seconds."""
        voice, audio_format, second = _checked(message)
        script = self._house.scripts.get(voice, Script())
        await self._misbehave(script)
        await self._pause(random.uniform(*(script.delay_ms or self._house.delay_ms)) / 1000)
        text = str(message["transcript"])
        if seen.cancelled or script.silent or not text.strip():
            return 0.0
        seen.begun = True
        audio = script.body if script.body is not None else await self._house.bank.audio(text, audio_format)
        words = spread(text, len(audio) / second) if message.get("add_timestamps") and script.words else []
        sent = 0
        for piece in _pieces(audio, second):
            sent += await self._piece(seen, script, piece, sent)
            told = [word for word in words if word[2] * second <= sent]
            words = words[len(told) :]
            await self._words(seen, told, at_s)
        await self._words(seen, words, at_s)
        flushed = {"type": "flush_done", "flush_done": True, "flush_id": 1, "done": False, "status_code": 206}
        await self._send(flushed | {"context_id": seen.message["context_id"]})
        return len(audio) / second

    async def _misbehave(self, script: Script) -> None:
        if script.close is not None:
            await self._socket.close(*script.close)
            raise Gone
        if script.frame:
            await self._socket.send(script.frame)
        if script.error is not None:
            refusal = Refused(*script.error)
            if script.anonymous:
                await self._send(_event(refusal))
                raise Gone
            raise refusal

    async def _piece(self, seen: Seen, script: Script, piece: bytes, sent: int) -> int:
        for limit, act in ((script.cut_after, self._cut), (script.stall_after, self._stall)):
            if limit is not None and sent + len(piece) > limit:
                await self._chunk(seen, piece[: limit - sent])
                await act()
        await self._chunk(seen, piece)
        await self._pause(script.pause_s)
        return len(piece)

    async def _chunk(self, seen: Seen, piece: bytes) -> None:
        if piece:
            chunk = {"type": "chunk", "data": b64encode(piece).decode(), "done": False, "status_code": 206}
            await self._send(
                chunk | {"step_time": 20.5, "context_id": seen.message["context_id"], "flush_id": 1}
            )

    async def _words(self, seen: Seen, words: list[tuple[str, float, float]], at_s: float) -> None:
        if words:
            told = {
                "words": [word for word, _, _ in words],
                "start": [at_s + start for _, start, _ in words],
                "end": [at_s + end for _, _, end in words],
            }
            event = {"type": "timestamps", "done": False, "status_code": 206, "word_timestamps": told}
            await self._send(event | {"context_id": seen.message["context_id"]})

    async def _refuse(self, seen: Seen, refusal: Refused) -> None:
        await self._send(_event(refusal) | {"context_id": seen.message["context_id"]})

    async def _send(self, message: dict[str, object]) -> None:
        if not self._socket.open:
            raise Gone
        await self._socket.send(json.dumps(message))

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self._socket.open:
            raise Gone

    async def _cut(self) -> None:
        await asyncio.sleep(0.05)  # what was sent has left the machine; an abort would throw it away
        self._socket.wire.cut()
        raise Gone

    async def _stall(self) -> None:
        await self._socket.gone.wait()
        raise Gone


def _checked(message: dict[str, object]) -> tuple[str, str, int]:
    """The voice, the bank's name of the format, and its bytes per second."""
    voice, wanted = message.get("voice"), message.get("output_format")
    if not str(message.get("model_id", "")).startswith("sonic"):
        raise Refused(404, "model_not_found", "The model is not valid, make sure it is a valid model ID.")
    if not isinstance(voice, dict) or voice.get("mode") != "id" or voice.get("id") == UNKNOWN_VOICE:
        raise Refused(404, "voice_not_found", "Voice not found")
    if (
        not isinstance(wanted, dict)
        or wanted.get("container") != "raw"
        or wanted.get("encoding") not in FORMATS
    ):
        raise Refused(400, None, "output_format is invalid")
    rate = int(wanted["sample_rate"])
    name = FORMATS[str(wanted["encoding"])].format(rate=rate)
    return str(voice["id"]), name, rate if name == "ulaw_8000" else 2 * rate


def _pieces(audio: bytes, second: int) -> Iterator[bytes]:
    at = 0
    while at < len(audio):
        size = int(second * random.uniform(0.05, 0.3)) & ~1
        yield audio[at : at + size]
        at += size


def _error(status: int, code: str | None, message: str) -> dict[str, object]:
    title = "Too many concurrent requests" if status == 429 else "Invalid request"
    return {
        "error_code": code,
        "title": title,
        "message": message,
        "request_id": "standin",
        "status_code": status,
    }


def _event(refusal: Refused) -> dict[str, object]:
    return {"type": "error", "done": True, **_error(refusal.status, refusal.code, refusal.message)}
