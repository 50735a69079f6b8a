"""What a socket of the stand-in for ElevenLabs sends for a text: audio in lumps, timing, and every fault."""

import asyncio
import base64
import json
import random
from dataclasses import dataclass
from typing import Protocol

from tests.standins.elevenlabs_script import OverLimit, Script, Seen, Slots
from tests.standins.voice_bank import VoiceBank
from tests.standins.wire import Socket


def bytes_per_s(audio_format: str) -> int:
    """How much audio a second is."""
    kind, *numbers = audio_format.split("_")
    if kind == "mp3":
        return int(numbers[1]) * 125
    return int(numbers[0]) * (2 if kind == "pcm" else 1)


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
class Timing:
    """The characters of a segment, spread evenly over its audio, but for one pause; per message from 0."""

    characters: str
    begins: int  # bytes of an earlier segment before it
    size: int  # bytes
    second: int  # bytes of one
    pause_at: int = 0  # characters before it
    pause: int = 0  # bytes, of `size`
    told: int = 0  # characters

    def of(self, at: int, until: int | None) -> dict[str, object] | None:
        """What the message says that begins at a byte: the characters that begin before another, or all."""
        each = (self.size - self.pause) / max(1, len(self.characters))
        starts = [
            self.begins + number * each + self.pause * (number >= self.pause_at)
            for number in range(len(self.characters))
        ]
        end = len(starts) if until is None else max(self.told, sum(start < until for start in starts))
        numbers, self.told = range(self.told, end), end
        if not numbers:
            return None
        milliseconds = 1000 / self.second
        return {
            "chars": [self.characters[number] for number in numbers],
            "charStartTimesMs": [(starts[number] - at) * milliseconds for number in numbers],
            "charDurationsMs": [each * milliseconds for _ in numbers],
        }


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
    broken: bool = False  # by a frame that did not end it
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
        if self.script.no_final:
            await self._stall()
        await self._send({"audio": None, "isFinal": True, "alignment": None, "normalizedAlignment": None})
        self.seen.finished = self.socket.open

    async def _speak(self, text: str) -> None:
        if self.script.frame and self.script.after is None:
            await self.socket.send(self.script.frame)
        audio_format = self.script.audio_format or self.seen.request.query.get(
            "output_format", "mp3_44100_128"
        )
        audio = self.script.body
        if audio is None:
            audio = await self.house.bank.audio(text, audio_format)
        second = bytes_per_s(audio_format)
        timing = Timing(text, begins=len(self.tail), size=len(audio), second=second)
        if self.script.pause is not None and (at := text.find(self.script.pause[0])) >= 0:
            assert audio_format == "ulaw_8000", "silence is known of mu-law only"
            before, timing.pause_at = len(audio) * at // len(text), at
            timing.pause = self.script.pause[1] * second // 1000
            timing.size += timing.pause
            audio = audio[:before] + b"\xff" * timing.pause + audio[before:]
        if self.script.timed == "never" or self.seen.request.query.get("sync_alignment") != "true":
            timing.characters = ""
        audio = self.tail + audio
        held = random.randint(10, 260) | 1
        audio, self.tail = audio[:-held], audio[-held:]
        at = 0
        while at < len(audio):
            size = max(249, int(second * random.uniform(0.1, 1.0)) // 249 * 249)
            until = at + size if self.script.timed == "each" and at + size < len(audio) else None
            await self._message(audio[at : at + size], timing.of(at, until))
            at += size
            if self.script.trickle:
                await self._pause(1.5 * size / second)

    async def _message(self, piece: bytes, timing: object) -> None:
        script = self.script
        for limit, act in (
            (script.cut_after, self._cut),
            (script.stall_after, self._stall),
            (script.after, self._break),
        ):
            if limit is not None and self.sent + len(piece) > limit and not self.broken:
                sent, rest = piece[: max(0, limit - self.sent)], piece[max(0, limit - self.sent) :]
                await self._audio(sent, timing)
                await act()
                self.broken, piece, timing = True, rest, None if sent else timing
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

    async def _break(self) -> None:
        if self.script.error:
            raise Refused(self.script.error, self.script.error_message)
        if self.script.frame:
            await self.socket.send(self.script.frame)
        if self.script.close is not None:
            await self.socket.close(*self.script.close)
            raise Gone

    async def _stall(self) -> None:
        await self.socket.gone.wait()
        raise Gone

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self.socket.open:
            raise Gone


def _base64(audio: bytes) -> str:
    return base64.b64encode(audio).decode()
