"""A stand-in for OpenAI's speech endpoint on loopback: PCM in chunks over real HTTP, and its errors."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.standins.voice_house import Gone, Script, VoiceHouse, pieces
from tests.standins.wire import Request, Wire

KEY = "sk-standin-voice-0123456789abcdef0123456789"
MODELS = ("gpt-4o-mini-tts", "tts-1", "tts-1-hd")
MEDIA_TYPES = {"pcm": "audio/pcm", "wav": "audio/wav"}


def error_body(message: str, *, kind: str, code: str | None) -> dict[str, object]:
    """The body of an error, in the vendor's shape."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


BAD_KEY = error_body(
    f"Incorrect API key provided: {KEY[:8]}****6789.", kind="invalid_request_error", code="invalid_api_key"
)
NO_MODEL = error_body("The model does not exist", kind="invalid_request_error", code="model_not_found")
OVERLOADED = error_body("The server is overloaded.", kind="server_error", code=None)
TOO_FAST = error_body("Rate limit reached for requests", kind="requests", code="rate_limit_exceeded")
NO_CREDIT = error_body("You exceeded your quota.", kind="insufficient_quota", code="insufficient_quota")


@dataclass
class Seen:
    """One request for speech, as the stand-in saw it."""

    request: Request
    body: dict[str, Any]
    sent: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)  # the client closed before the end


class OpenAiVoice(VoiceHouse):
    """The server."""

    def __init__(self, *scripts: Script, limit: int | None = None) -> None:
        super().__init__(*scripts, limit=limit)
        self.seen: list[Seen] = []
        self.asked_for_models = 0

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    async def route(self, wire: Wire, request: Request) -> bool:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            await wire.answer(401, BAD_KEY)
        elif request.method == "GET" and request.path == "/v1/models":
            self.asked_for_models += 1
            models = [{"id": name, "object": "model", "created": 1, "owned_by": "system"} for name in MODELS]
            await wire.answer(200, {"object": "list", "data": models})
        elif request.method == "POST" and request.path == "/v1/audio/speech":
            return await self._speech(wire, request)
        else:
            await wire.answer(404, error_body("Not found", kind="invalid_request_error", code=None))
        return True

    async def _speech(self, wire: Wire, request: Request) -> bool:
        body = request.json()
        if not isinstance(body, dict) or not {"input", "voice", "model"} <= body.keys():
            await wire.answer(400, error_body("missing", kind="invalid_request_error", code=None))
            return True
        seen = Seen(request, body)
        self.seen.append(seen)
        script = self.next_script()
        if script.hang:
            await wire.gone()
            seen.gone.set()
            return False
        if script.refuse is not None or body["model"] not in MODELS:
            await wire.answer(*(script.refuse or (404, NO_MODEL)), script.refuse_headers)
            return True
        if self.generations.full:
            await wire.answer(429, TOO_FAST)
            return True
        return await self._generate(wire, seen, script)

    async def _generate(self, wire: Wire, seen: Seen, script: Script) -> bool:
        going = asyncio.create_task(self._watch(wire, seen))
        try:
            async with self.generations.one():
                await self._stream(wire, seen, script)
        except (Gone, ConnectionError):
            seen.gone.set()
            return False
        finally:
            going.cancel()
            with suppress(asyncio.CancelledError):
                await going
        return not seen.gone.is_set()

    async def _watch(self, wire: Wire, seen: Seen) -> None:
        """A client that leaves closes: an answer is one more thing to read than it has to send."""
        await wire.gone()
        seen.gone.set()

    async def _stream(self, wire: Wire, seen: Seen, script: Script) -> None:
        kind = str(seen.body.get("response_format", "mp3"))
        await asyncio.sleep(script.delay_s)
        media_type = script.media_type or MEDIA_TYPES.get(kind, "audio/mpeg")
        await wire.begin_chunked({"content-type": media_type})
        audio = script.body
        if audio is None:
            audio = await self.bank.audio(str(seen.body["input"]), "pcm_24000")
        for piece in [] if script.silent else pieces(audio, script):
            await self._break(wire, seen, script)
            await wire.chunk(piece)
            seen.sent += len(piece)
            await asyncio.sleep(script.gap_s)
            if seen.gone.is_set():
                raise Gone
        await wire.end_chunked()

    async def _break(self, wire: Wire, seen: Seen, script: Script) -> None:
        if script.cut_after is not None and seen.sent >= script.cut_after:
            await asyncio.sleep(0.05)
            wire.cut()
            raise Gone
        if script.stall_after is not None and seen.sent >= script.stall_after:
            await seen.gone.wait()
            raise Gone
