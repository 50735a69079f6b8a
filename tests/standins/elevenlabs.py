"""A stand-in for ElevenLabs on loopback: both text-to-speech WebSockets and HTTP, real audio, real errors.

    async with ElevenLabsStandin() as vendor:
        vendor.scripts["a voice"] = Script(cut_after=4000)
        ... base_url=vendor.url, api_key=KEY ...

As a process, where a voice called `fault-...` misbehaves by its name:

    python -m tests.standins.elevenlabs --port 9100 --delay-ms 200 --limit 10
"""

import argparse
import asyncio
import random
import re
import sys
from contextlib import suppress

from tests.standins.elevenlabs_script import FRAMES, NAMED, OverLimit, Script, Seen, Slots
from tests.standins.elevenlabs_ws import MultiContext, SingleContext
from tests.standins.standin import SpeakingStandin
from tests.standins.voice_bank import VoiceBank
from tests.standins.wire import Request, Socket, Wire

KEY = "sk_5ta2d1200000000000000000000000000000000000000000"
VOICE = "21m00Tcm4TlvDq8ikWAM"
UNKNOWN_VOICE = "nobody"
PATH = re.compile(r"/v1/text-to-speech/([^/]+)(?:/(stream-input|multi-stream-input|stream))?")
FORMAT = re.compile(r"mp3_(22050_32|24000_48|44100_(32|64|96|128|192))|pcm_\d{4,5}|ulaw_8000|wav_8000")
MODELS = re.compile(r"eleven_(flash|turbo|multilingual|v3|v4)\w*")
MEDIA_TYPES = {"mp3": "audio/mpeg", "pcm": "audio/pcm", "ulaw": "audio/ulaw", "wav": "audio/wav"}
V3_REFUSED = {
    "type": "validation_error",
    "code": "unsupported_model",
    "status": "unsupported_model",
    "param": "model_id",
    "message": "Model is not supported on the text-to-speech websocket endpoint. "
    "Use the text-to-dialogue websocket endpoint instead.",
    "request_id": "standin",
}


def detail(kind: str, code: str, status: str, message: str) -> dict[str, object]:
    """The body of an error, in the vendor's current shape."""
    parts = {"type": kind, "code": code, "status": status, "message": message, "request_id": "standin"}
    return {"detail": {name: value for name, value in parts.items() if value}}


class ElevenLabsStandin(SpeakingStandin):
    """The server; what it saw is in `seen`, in the order of arrival."""

    def __init__(
        self,
        *,
        port: int = 0,
        delay_ms: tuple[int, int] = (150, 250),
        limit: int | None = None,
        queue_ms: int = 50,
        idle_s: float | None = None,
        keys: tuple[str, ...] = (KEY,),
        bank: VoiceBank | None = None,
    ) -> None:
        super().__init__(port=port, bank=bank)
        self.scripts: dict[str, Script] = dict(NAMED)
        self.seen: list[Seen] = []
        self.slots = Slots(limit, queue_ms)
        self.delay_ms = delay_ms
        self.idle_s = idle_s
        self.open_sockets = 0
        self._keys = keys

    def key_fault(self, headers: dict[str, str], first: dict[str, object]) -> str:
        """The word for what is wrong with a key, wherever it stands; empty when it is good."""
        key = headers.get("xi-api-key") or first.get("xi-api-key") or first.get("xi_api_key")
        if not key:
            return "authentication_required"
        return "" if key in self._keys else "invalid_api_key"

    def knows(self, voice: str) -> bool:
        return voice != UNKNOWN_VOICE

    async def route(self, wire: Wire, request: Request) -> bool:
        match = PATH.fullmatch(request.path)
        if request.is_upgrade:
            if match and (match[2] or "").endswith("-input"):
                await self._upgrade(wire, request, voice=match[1], multi=match[2].startswith("multi"))
            else:
                await wire.answer(403, b"")
            return False
        if match and request.method == "POST" and match[2] in (None, "stream"):
            return await self._synthesize(wire, request, match[1])
        if request.method == "GET" and request.path.startswith("/v1/voices/"):
            return await self._voice(wire, request)
        await wire.answer(404, {"detail": "Not Found"})
        return True

    async def _upgrade(self, wire: Wire, request: Request, *, voice: str, multi: bool) -> None:
        script = self.scripts.get(voice, Script())
        seen = Seen("multi" if multi else "single", voice, request)
        self.seen.append(seen)
        if script.hang:
            await wire.gone()
        elif script.refuse is not None:
            await wire.answer(*script.refuse, script.refuse_headers)
        elif request.query.get("model_id", "").startswith("eleven_v3"):
            await wire.answer(400, {"detail": V3_REFUSED})
        else:
            socket = Socket(wire)
            await socket.accept(request)
            self.open_sockets += 1
            try:
                await (MultiContext if multi else SingleContext)(self, socket, script, seen).run()
            finally:
                self.open_sockets -= 1

    async def _voice(self, wire: Wire, request: Request) -> bool:
        voice = request.path.rpartition("/")[2]
        if self.key_fault(request.headers, {}):
            await wire.answer(
                401, detail("authentication_error", "unauthorized", "invalid_api_key", "Invalid API key")
            )
        elif not self.knows(voice):
            await wire.answer(
                404, detail("not_found", "voice_not_found", "voice_not_found", f"No voice {voice}")
            )
        else:
            await wire.answer(200, {"voice_id": voice, "name": "Standin"})
        return True

    async def _synthesize(self, wire: Wire, request: Request, voice: str) -> bool:
        script = self.scripts.get(voice, Script())
        seen = Seen("http", voice, request)
        self.seen.append(seen)
        if script.hang:
            await wire.gone()
            return False
        body = request.json()
        if script.refuse is not None:
            await wire.answer(*script.refuse, script.refuse_headers)
        elif (refusal := self._refusal(request, body, voice)) is not None:
            await wire.answer(*refusal)
        else:
            assert isinstance(body, dict)
            seen.messages.append(body)
            return await self._stream(wire, seen, script)
        return True

    def _refusal(self, request: Request, body: object, voice: str) -> tuple[int, object] | None:
        """What the vendor would refuse, in the vendor's order: the body, then the key, then the rest."""
        if not isinstance(body, dict) or not isinstance(body.get("text"), str):
            return 422, {"detail": [{"type": "missing", "loc": ["body", "text"], "msg": "Field required"}]}
        fault = self.key_fault(request.headers, {})
        if fault == "authentication_required":
            return 401, detail(
                "authentication_error", "unauthorized", "needs_authorization", "No key was given"
            )
        if fault:
            return 401, detail("authentication_error", "unauthorized", "invalid_api_key", "Invalid API key")
        wanted = request.query.get("output_format", "mp3_44100_128")
        if not FORMAT.fullmatch(wanted):
            return 403, detail(
                "validation_error", "invalid_output_format", "invalid_output_format", "Unknown format"
            )
        if not MODELS.fullmatch(str(body.get("model_id", "eleven_multilingual_v2"))):
            return 400, detail("", "", "model_not_found", "A model with that id does not exist")
        if not self.knows(voice):
            return 404, detail(
                "not_found", "voice_not_found", "voice_not_found", f"A voice {voice} was not found."
            )
        return None

    async def _stream(self, wire: Wire, seen: Seen, script: Script) -> bool:
        wanted = seen.request.query.get("output_format", "mp3_44100_128")
        try:
            async with self.slots.hold():
                await asyncio.sleep(random.uniform(*(script.delay_ms or self.delay_ms)) / 1000)
                audio = script.body
                if audio is None:
                    audio = await self.bank.audio(seen.texts[0], script.audio_format or wanted)
                await wire.begin_chunked(
                    self._headers(script.media_type or MEDIA_TYPES[wanted.partition("_")[0]])
                )
                return await _send_body(wire, b"" if script.silent else audio, seen, script)
        except OverLimit:
            status = "too_many_concurrent_requests"
            message = FRAMES[status].format(limit=self.slots.limit)
            body = detail("rate_limit_error", "concurrent_limit_exceeded", status, message)
            await wire.answer(429, body, script.refuse_headers)
            return True

    def _headers(self, media_type: str) -> dict[str, str]:
        return {
            "content-type": media_type,
            "request-id": f"standin-{len(self.seen)}",
            "current-concurrent-requests": str(self.slots.running),
            "maximum-concurrent-requests": str(self.slots.limit or 0),
            "server": "uvicorn",
        }


async def _send_body(wire: Wire, audio: bytes, seen: Seen, script: Script) -> bool:
    """The audio in pieces of uneven, often odd sizes; False when the connection was broken on purpose."""
    end = min((limit for limit in (script.cut_after, script.stall_after) if limit is not None), default=None)
    at, stop = 0, len(audio) if end is None else end
    while at < stop:
        size = min(random.randint(300, 9000), stop - at)
        await wire.chunk(audio[at : at + size])
        at += size
        # A pause lets each piece be seen by itself; a trickle is slower than any format plays.
        await asyncio.sleep(size / 3000 if script.trickle else 0.001)
    if script.stall_after is not None:
        await wire.gone()
    elif script.broken_chunk:
        await wire.broken_chunk(audio[stop : stop + 100])
    elif script.cut_after is not None:
        await asyncio.sleep(0.05)
        wire.cut()
    else:
        await wire.end_chunked()
        seen.finished = True
    return seen.finished


async def _main(arguments: argparse.Namespace) -> None:
    delay_ms = (arguments.delay_ms, arguments.delay_ms) if arguments.delay_ms is not None else (150, 250)
    keys = tuple(arguments.key or [KEY])
    standin = ElevenLabsStandin(port=arguments.port, delay_ms=delay_ms, limit=arguments.limit, keys=keys)
    async with standin as vendor:
        sys.stdout.write(f"elevenlabs stand-in on {vendor.url}, key {keys[0]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="stand-in for ElevenLabs on loopback")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--delay-ms", type=int, help="before the first audio; 150 to 250 at random")
    parser.add_argument("--limit", type=int, help="generations at once")
    parser.add_argument("--key", action="append", help="an accepted key")
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args()))
