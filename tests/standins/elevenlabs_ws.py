"""The two WebSockets of the stand-in for ElevenLabs: `stream-input` and `multi-stream-input`."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field

from tests.standins.elevenlabs_script import FRAMES, Script, Seen
from tests.standins.elevenlabs_segments import Gone, House, Refused, Segments
from tests.standins.wire import Socket

CLOSE_AFTER_FINAL_S = 0.75
CLOSE_AFTER_ERROR_S = 0.8
MOST_CONTEXTS = 5
SCHEDULE = (120, 160, 250, 290)  # characters that must have come before a piece is generated


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
        if self.script.after is None and self.script.error:
            raise Refused(self.script.error, self.script.error_message)
        if self.script.after is None and self.script.close is not None:
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
