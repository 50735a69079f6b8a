"""The two WebSockets of the stand-in for ElevenLabs: `stream-input` and `multi-stream-input`."""

import asyncio
import base64
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from tests.standins.elevenlabs_script import FRAMES, OverLimit, Script, Seen, Slots
from tests.standins.voice_bank import VoiceBank
from tests.standins.wire import Socket

CLOSE_AFTER_FINAL_S = 0.75
CLOSE_AFTER_ERROR_S = 0.8
MOST_CONTEXTS = 5
SCHEDULE = (120, 160, 250, 290)  # characters that must have come before a piece is generated
BYTES_PER_S = {"ulaw": 8000, "mp3_44100_128": 16000}


class House(Protocol):
    """What a session needs of the server it belongs to."""

    bank: VoiceBank
    slots: Slots
    delay_ms: tuple[int, int]
    idle_s: float | None

    def key_fault(self, headers: dict[str, str], first: dict[str, object]) -> str: ...

    def knows(self, voice: str) -> bool: ...


class Refused(Exception):
    """The session ends with an error frame and a close."""

    def __init__(self, word: str, message: str = "") -> None:
        super().__init__(word)
        self.word = word
        self.message = message


class Gone(Exception):
    """The client has closed, or the script has cut the connection: nothing more is sent."""


@dataclass
class Segments:
    """Generates text and sends its audio, faults included; one for each context."""

    house: House
    socket: Socket
    script: Script
    seen: Seen
    context: str | None = None
    sent: int = 0
    tail: bytes = b""
    abandoned: bool = False  # the socket is ending for another reason: say nothing more

    async def generate(self, text: str) -> None:
        if not text.strip():
            return
        if self.script.silent:
            return
        try:
            async with self.house.slots.hold():
                await self._pause(random.uniform(*(self.script.delay_ms or self.house.delay_ms)) / 1000)
                await self._speak(text)
        except OverLimit:
            raise Refused("too_many_concurrent_requests") from None

    async def finish(self) -> None:
        """The odd-sized tail and the final message."""
        if self.tail:
            await self._send({"audio": _base64(self.tail), "isFinal": None, "alignment": None})
        await self._send({"audio": None, "isFinal": True, "alignment": None, "normalizedAlignment": None})
        self.seen.finished = self.socket.open

    async def _speak(self, text: str) -> None:
        if self.script.frame:
            await self.socket.send(self.script.frame)
        audio_format = self.script.audio_format or self.seen.request.query.get(
            "output_format", "mp3_44100_128"
        )
        audio = self.script.body
        if audio is None:
            audio = await self.house.bank.audio(text, audio_format)
        second = next((rate for name, rate in BYTES_PER_S.items() if audio_format.startswith(name)), 12000)
        audio = self.tail + audio
        held = random.randint(10, 260) | 1
        audio, self.tail = audio[:-held], audio[-held:]
        timing: object = {"chars": list(text), "charStartTimesMs": [], "charDurationsMs": []}
        at = 0
        while at < len(audio):
            size = max(249, int(second * random.uniform(0.1, 1.0)) // 249 * 249)
            await self._message(audio[at : at + size], timing)
            timing = None
            at += size
            if self.script.trickle:
                await self._pause(1.5 * size / second)

    async def _message(self, piece: bytes, timing: object) -> None:
        for limit, act in ((self.script.cut_after, self._cut), (self.script.stall_after, self._stall)):
            if limit is not None and self.sent + len(piece) > limit:
                await self._audio(piece[: limit - self.sent], timing)
                await act()
        await self._audio(piece, timing)

    async def _audio(self, piece: bytes, timing: object) -> None:
        if not piece:
            return
        self.sent += len(piece)
        message = {
            "audio": _base64(piece),
            "isFinal": None,
            "alignment": timing,
            "normalizedAlignment": timing,
        }
        if self.script.padding:
            message["padding"] = "x" * self.script.padding
        await self._send(message)

    async def _send(self, message: dict[str, object]) -> None:
        if not self.socket.open or self.abandoned:
            raise Gone
        if self.context is not None:
            message["contextId"] = self.context
        await self.socket.send(json.dumps(message))

    async def _cut(self) -> None:
        await asyncio.sleep(0.05)  # what was sent has left the machine; an abort would throw it away
        self.socket.wire.cut()
        raise Gone

    async def _stall(self) -> None:
        await self.socket.gone.wait()
        raise Gone

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self.socket.open:
            raise Gone


class Session:
    """One accepted socket: a reader beside the one that answers, so that a client's close is seen at once."""

    def __init__(self, house: House, socket: Socket, script: Script, seen: Seen) -> None:
        self.house = house
        self.socket = socket
        self.script = script
        self.seen = seen
        self._inbox: asyncio.Queue[dict[str, object] | Refused | None] = asyncio.Queue()
        self._first = True

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            with suppress(Gone):
                await self._answer()
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _answer(self) -> None:
        try:
            word = self.house.key_fault(self.seen.request.headers, {})
            if (
                word and word != "authentication_required"
            ):  # a missing key may still come with the first message
                raise Refused(word)
            await self.converse()
        except Refused as refusal:
            limit = self.house.slots.limit
            usual = FRAMES.get(refusal.word, refusal.word).format(voice=self.seen.voice, limit=limit)
            message = refusal.message or usual
            frame = {"message": message, "error": refusal.word, "code": 1008}
            await self.socket.send(json.dumps(frame))
            await self._late_close(CLOSE_AFTER_ERROR_S, 1008, message)

    async def converse(self) -> None:
        raise NotImplementedError

    async def next(self) -> dict[str, object]:
        """The client's next message, checked as the vendor checks the first ones."""
        idle = self.house.idle_s or min(float(self.seen.request.query.get("inactivity_timeout", "20")), 180.0)
        try:
            async with asyncio.timeout(idle):
                message = await self._inbox.get()
        except TimeoutError:
            raise Refused("input_timeout_exceeded") from None
        if isinstance(message, Refused):
            raise message
        if message is None:
            raise Gone
        if self._first:
            self._first = False
            if word := self.house.key_fault(self.seen.request.headers, message):
                raise Refused(word)
        if str(message.get("text", "")).strip():
            await self._check_text()
        return message

    async def late_close(self) -> None:
        await self._late_close(CLOSE_AFTER_FINAL_S, 1000, "")

    async def _check_text(self) -> None:
        if self.script.error:
            raise Refused(self.script.error, self.script.error_message)
        if self.script.close is not None:
            await self.socket.close(*self.script.close)
            raise Gone
        if not self.house.knows(self.seen.voice):
            await asyncio.sleep(0.05)
            raise Refused("voice_id_does_not_exist")

    async def _late_close(self, after_s: float, code: int, reason: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(after_s):
                while await self._inbox.get() is not None:
                    pass
        await self.socket.close(code, reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.socket.gone.wait()

    async def _read(self) -> None:
        while (text := await self.socket.receive()) is not None:
            message = json.loads(text)
            self.seen.messages.append(message)
            self._inbox.put_nowait(message)
        self.seen.gone = True
        self._inbox.put_nowait(None)


class SingleContext(Session):
    """`stream-input`: texts, then an empty one."""

    async def converse(self) -> None:
        segments = Segments(self.house, self.socket, self.script, self.seen)
        automatic = self.seen.request.query.get("auto_mode") == "true"
        buffered, pieces = "", 0
        while True:
            message = await self.next()
            text = str(message.get("text", ""))
            buffered += text if text.strip() else ""
            flush = bool(message.get("flush")) or (automatic and bool(text.strip()))
            if flush or len(buffered) >= SCHEDULE[min(pieces, len(SCHEDULE) - 1)]:
                await segments.generate(buffered)
                buffered, pieces = "", pieces + 1
            if text == "" and not message.get("flush"):
                await segments.generate(buffered)
                await segments.finish()
                await self.late_close()
                return


@dataclass
class Context:
    """One utterance of a multi-context socket."""

    segments: Segments
    buffered: str = ""
    closing: bool = False
    work: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)  # None: finish


class MultiContext(Session):
    """`multi-stream-input`: up to five utterances at once, each with its own final message."""

    async def converse(self) -> None:
        contexts: dict[str, Context] = {}
        end: Refused | Gone | None = None
        async with asyncio.TaskGroup() as group:
            try:
                while not (message := await self.next()).get("close_socket"):
                    self._take(message, contexts, group)
            except (Refused, Gone) as error:
                end = error
            for context in contexts.values():
                context.segments.abandoned = end is not None
                self._close(context)
        if end is not None:
            raise end
        await self.late_close()

    def _take(
        self, message: dict[str, object], contexts: dict[str, Context], group: asyncio.TaskGroup
    ) -> None:
        name = str(message.get("context_id", ""))
        text = str(message.get("text", ""))
        if not name and not text:
            return  # keeps the socket alive
        if name not in contexts:
            if len(contexts) >= MOST_CONTEXTS:
                raise Refused("max_active_conversations")
            context = Context(Segments(self.house, self.socket, self.script, self.seen, name))
            contexts[name] = context
            group.create_task(self._work(name, context, contexts))
        elif message.get("voice_settings"):
            raise Refused("invalid_voice_settings", "voice_settings can only be set in the first message")
        context = contexts[name]
        context.buffered += text if text.strip() else ""
        automatic = self.seen.request.query.get("auto_mode") == "true" and bool(text.strip())
        if message.get("flush") or automatic or len(context.buffered) >= SCHEDULE[0]:
            context.work.put_nowait(context.buffered)
            context.buffered = ""
        if message.get("close_context"):
            self._close(context)

    def _close(self, context: Context) -> None:
        if not context.closing:
            context.closing = True
            context.work.put_nowait(context.buffered)
            context.work.put_nowait(None)

    async def _work(self, name: str, context: Context, contexts: dict[str, Context]) -> None:
        try:
            while (text := await context.work.get()) is not None:
                await context.segments.generate(text)
            await context.segments.finish()
        except Gone:
            pass
        except Refused as refusal:
            self._inbox.put_nowait(refusal)
        finally:
            del contexts[name]


def _base64(audio: bytes) -> str:
    return base64.b64encode(audio).decode()
