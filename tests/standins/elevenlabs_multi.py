"""A stand-in for ElevenLabs' multi-context WebSocket on loopback, with its known traps.

Its traps: a close that overtakes its text leaves the sentence unsaid; a text, flush or keep-alive for an id
that is not known makes a context; audio of a closed context comes all the same; the sixth context ends
the socket.
"""

import asyncio
import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field

from tests.standins.elevenlabs import KEY, UNKNOWN_VOICE, VOICE
from tests.standins.elevenlabs_script import FRAMES
from tests.standins.voice_house import Gone, Script, VoiceHouse, VoiceSocket, pieces
from tests.standins.wire import Request, Wire

MOST_CONTEXTS = 5
CLOSE_AFTER_ERROR_S = 0.05  # the vendor takes 0.8
PATH_END = "/multi-stream-input"

__all__ = ["KEY", "UNKNOWN_VOICE", "VOICE", "MultiVoice"]


@dataclass
class Context:
    """One context, as the stand-in saw it."""

    name: str
    text: str = ""
    sent: int = 0  # bytes of audio
    closed_at: int | None = None  # bytes of audio that were sent when the client closed it
    final: bool = False
    work: asyncio.Task[None] | None = None
    closing: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Seen:
    """One socket, as the stand-in saw it."""

    request: Request
    messages: list[dict[str, object]] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    gone: bool = False  # it has ended
    said_goodbye: bool = False  # `close_socket` came
    most_open: int = 0

    @property
    def texts(self) -> list[str]:
        return [context.text.strip() for context in self.contexts]


class MultiVoice(VoiceHouse):
    """The server; a script counts for one context, `finals=False` leaves closed contexts open for ever."""

    def __init__(
        self,
        *scripts: Script,
        limit: int | None = None,
        registers_s: float = 0.0,
        idle_s: float | None = None,
        headers: dict[str, str] | None = None,
        finals: bool = True,
    ) -> None:
        super().__init__(*scripts, limit=limit)
        self.registers_s = registers_s  # until a text is known; a close is known at once
        self.idle_s = idle_s
        self.headers = headers or {}
        self.finals = finals
        self.handshake = Script()  # its `refuse` and `hang` count
        self.seen: list[Seen] = []
        self.open_sockets = 0

    async def route(self, wire: Wire, request: Request) -> bool:
        if self.handshake.hang:
            await wire.gone()
        elif self.handshake.refuse is not None:
            await wire.answer(*self.handshake.refuse, self.handshake.refuse_headers)
        elif not request.is_upgrade or not request.path.endswith(PATH_END):
            await wire.answer(403, b"")
        else:
            socket = VoiceSocket(wire)
            await socket.greet(request, self.headers)
            seen = Seen(request)
            self.seen.append(seen)
            self.open_sockets += 1
            try:
                await _Session(self, socket, seen).run()
            finally:
                self.open_sockets -= 1
                seen.gone = True
        return False


class _Session:
    def __init__(self, house: MultiVoice, socket: VoiceSocket, seen: Seen) -> None:
        self.house = house
        self.socket = socket
        self.seen = seen
        self.open: dict[str, Context] = {}

    async def run(self) -> None:
        try:
            if self.seen.request.headers.get("xi-api-key") != KEY:
                await self._refuse("invalid_api_key")
                return
            while (message := await self._next()) is not None and await self._obey(message):
                pass
        except TimeoutError:
            await self._refuse("input_timeout_exceeded")
        except Gone:
            pass
        finally:
            await self._end()

    async def _next(self) -> dict[str, object] | None:
        async with asyncio.timeout(self.house.idle_s):
            text = await self.socket.receive()
        if text is None:
            return None
        message: dict[str, object] = json.loads(text)
        self.seen.messages.append(message)
        return message

    async def _obey(self, message: dict[str, object]) -> bool:
        if message.get("close_socket"):
            self.seen.said_goodbye = True
            for context in self.open.values():
                context.closing.set()
            await asyncio.gather(*(context.work for context in self.open.values() if context.work))
            await self.socket.close(1000)
            return False
        name = str(message.get("context_id", ""))
        if not name and not message.get("text"):
            return True
        if message.get("close_context"):
            await self._close(name)
            return True
        if name not in self.open:
            if len(self.open) >= MOST_CONTEXTS:
                await self._refuse("max_active_conversations")
                return False
            context = Context(name)
            self.open[name] = context
            self.seen.contexts.append(context)
            self.seen.most_open = max(self.seen.most_open, len(self.open))
            context.work = asyncio.create_task(self._work(context, str(message.get("text", ""))))
        return True

    async def _close(self, name: str) -> None:
        context = self.open.get(name)
        if context is None or context.closed_at is not None:
            return
        context.closed_at = context.sent
        context.closing.set()
        if not context.text and context.work is not None:  # not registered yet: it will never be said
            context.work.cancel()
            await self._final(context)

    async def _work(self, context: Context, text: str) -> None:
        await asyncio.sleep(self.house.registers_s)
        context.text = text
        script = self.house.next_script()
        with suppress(Gone):
            if text.strip():
                if self.house.generations.full:
                    await self._refuse("too_many_concurrent_requests", context)
                    raise Gone
                async with self.house.generations.one():
                    await self._speak(context, text, script)
            if not script.silent:  # which is how an account without credits is answered
                await context.closing.wait()
            await self._final(context)

    async def _speak(self, context: Context, text: str, script: Script) -> None:
        voice = self.seen.request.path.split("/")[3]
        if voice == UNKNOWN_VOICE:
            await self._refuse("voice_id_does_not_exist")
            raise Gone
        if script.close is not None:
            await self.socket.close(*script.close)
            raise Gone
        await asyncio.sleep(script.delay_s)
        if script.frame:
            await self.socket.send(script.frame)
        if script.silent:
            return
        audio_format = self.seen.request.query["output_format"]
        audio = script.body if script.body is not None else await self.house.bank.audio(text, audio_format)
        timing: object = timing_of(text, len(audio) / 8) if audio_format == "ulaw_8000" else None
        for piece in pieces(audio, script):
            await self._break(script, context)
            await self._tell(context, {"audio": base64.b64encode(piece).decode(), "alignment": timing})
            context.sent += len(piece)
            timing = None
            await asyncio.sleep(script.gap_s)

    async def _break(self, script: Script, context: Context) -> None:
        if script.cut_after is not None and context.sent >= script.cut_after:
            await asyncio.sleep(0.05)
            self.socket.wire.cut()
            raise Gone
        if script.stall_after is not None and context.sent >= script.stall_after:
            await self.socket.gone.wait()
            raise Gone

    async def _final(self, context: Context) -> None:
        if not self.house.finals:
            return
        context.final = True
        self.open.pop(context.name, None)
        await self._tell(context, {"audio": None, "isFinal": True, "alignment": None})

    async def _tell(self, context: Context, message: dict[str, object]) -> None:
        if not self.socket.open:
            raise Gone
        whole = {"isFinal": None, "normalizedAlignment": message["alignment"], **message}
        await self.socket.send(json.dumps({**whole, "contextId": context.name}))

    async def _refuse(self, word: str, context: Context | None = None) -> None:
        voice = self.seen.request.path.split("/")[3]
        words = FRAMES[word].format(voice=voice, limit=self.house.generations.limit)
        frame: dict[str, object] = {"message": words, "error": word, "code": 1008}
        if context is not None:
            frame["contextId"] = context.name
        await self.socket.send(json.dumps(frame))
        await asyncio.sleep(CLOSE_AFTER_ERROR_S)
        await self.socket.close(1008, words)

    async def _end(self) -> None:
        for context in self.seen.contexts:
            if context.work is not None:
                context.work.cancel()
                with suppress(asyncio.CancelledError):
                    await context.work


def timing_of(text: str, length_ms: float) -> dict[str, list[object]]:
    """Every character as long as any other."""
    each = length_ms / len(text)
    return {
        "chars": list(text),
        "charStartTimesMs": [round(at * each) for at in range(len(text))],
        "charDurationsMs": [round(each) for _ in text],
    }
