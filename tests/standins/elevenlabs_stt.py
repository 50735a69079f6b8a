"""A stand-in for ElevenLabs' realtime scribe on loopback.

    async with ScribeStandin(Script(cut=True, fault_after=8000)) as vendor:
        ... base_url=vendor.url, api_key=KEY ...

It understands what `dictated` makes; of other audio it takes the words from the script.
"""

import asyncio
import base64
import json
import uuid
from contextlib import suppress

from tests.standins.cloud_ears import CloudEarsStandin, Recogniser, Script, Seen, misbehave
from tests.standins.wire import Request, Socket

KEY = "sk_5ta2d1200000000000000000000000000000000000000000"
QUIET_S = 15.0  # without audio
LEAST_BYTES = 2400  # a commit of less is refused
LARGEST_CHUNK = 80_000  # characters of base64; 3 s were accepted
PARTIAL_BYTES = 3200  # audio between two partials
SEGMENT_BYTES = 90 * 8000  # audio that is committed without being asked

# The vendor's own words, as far as they are known.
ERRORS = {
    "auth_error": "You must be authenticated to use this endpoint.",
    "quota_exceeded": "You have insufficient quota to complete this request.",
    "commit_throttled": "Commit request ignored: only {s:.2f}s of uncommitted audio. You need at least "
    "0.3s of uncommitted audio before committing.",
    "unaccepted_terms": "You have not accepted the terms of this model.",
    "rate_limited": "You are rate limited.",
    "queue_overflow": "Server queue overflow.",
    "resource_exhausted": "Server resources are exhausted.",
    "session_time_limit_exceeded": "Maximum session time was reached.",
    "input_error": "The input could not be processed.",
    "invalid_request": "The request is invalid.",
    "chunk_size_exceeded": "The audio chunk is too large.",
    "insufficient_audio_activity": "Insufficient audio activity.",
    "transcriber_error": "An error occurred in the transcriber.",
    "error": "An error occurred.",
}


class ScribeStandin(CloudEarsStandin):
    """The server."""

    path = "/v1/speech-to-text/realtime"

    def __init__(
        self,
        *scripts: Script,
        words: tuple[str, ...] = (),
        quiet_s: float = QUIET_S,
        start_ms: int = 5,
        partials_after: int = 0,
    ) -> None:
        super().__init__(*scripts, words=words, quiet_s=quiet_s)
        self.start_ms = start_ms
        self.partials_after = partials_after  # bytes of an utterance; the documents say 2 s

    def refusal(self, request: Request) -> tuple[int, object, dict[str, str]] | None:
        if "model_id" not in request.query:
            return 400, {"detail": {"status": "invalid_request", "message": "model_id is required"}}, {}
        return None

    async def converse(self, socket: Socket, script: Script, seen: Seen) -> None:
        await _Session(self, socket, script, seen).run()


class _Session:
    def __init__(self, house: ScribeStandin, socket: Socket, script: Script, seen: Seen) -> None:
        self.house = house
        self.socket = socket
        self.script = script
        self.seen = seen
        self.recogniser = Recogniser(script)
        self.uncommitted = bytearray()
        self.late = ""  # a partial that is still under way

    async def run(self) -> None:
        if self.seen.request.headers.get("xi-api-key") != KEY:
            await self.fail("auth_error")
            return
        await asyncio.sleep(self.house.start_ms / 1000)
        if self.script.greet:
            await self.send("session_started", session_id=uuid.uuid4().hex, config=self._config())
        while True:
            try:
                async with asyncio.timeout(self.house.quiet_s):
                    message = await self.socket.message()
            except TimeoutError:
                await self.socket.close(1000)
                return
            if message is None or not await self._take(message):
                return

    async def fail(self, kind: str) -> None:
        """An error is told, and then the socket is closed as if all were well."""
        text = ERRORS.get(kind, kind).format(s=len(self.uncommitted) / 8000)
        await self.send(kind, error=text)
        await self.socket.close(1000, kind if kind == "commit_throttled" else "")

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send(json.dumps({"message_type": kind, **fields}))

    async def _take(self, message: str | bytes) -> bool:
        """One message; False when the session is over."""
        chunk: dict[str, object] = {}
        with suppress(ValueError):
            chunk = json.loads(message)
        encoded = chunk.pop("audio_base_64", None)
        if chunk.get("message_type") != "input_audio_chunk" or not isinstance(encoded, str):
            await self.fail("input_error")
            return False
        if len(encoded) > LARGEST_CHUNK:
            await self.fail("chunk_size_exceeded")
            return False
        self.seen.messages.append(chunk)
        mulaw = base64.b64decode(encoded)
        if mulaw and not await self._hear(mulaw):
            return False
        return await self._commit() if chunk.get("commit") is True else True

    async def _hear(self, mulaw: bytes) -> bool:
        self.seen.sizes.append(len(mulaw))
        self.seen.audio += mulaw
        if await misbehave(self.socket, self.script, self.seen, self.fail):
            return False
        if self.late:
            await self.send("partial_transcript", text=self.late)
            self.late = ""
        before = len(self.uncommitted)
        self.uncommitted += mulaw
        if self.script.mute:
            return True
        if len(self.uncommitted) >= (self.script.segment_bytes or SEGMENT_BYTES):
            await self._final()
        elif len(self.uncommitted) // PARTIAL_BYTES > before // PARTIAL_BYTES and (
            len(self.uncommitted) >= self.house.partials_after
        ):
            await self.send("partial_transcript", text=self.recogniser.text(bytes(self.uncommitted)))
        return True

    async def _commit(self) -> bool:
        if len(self.uncommitted) < LEAST_BYTES:
            await self.fail("commit_throttled")
            return False
        if not self.script.mute:
            await asyncio.sleep(self.script.final_ms / 1000)
            await self._final()
            self.recogniser.utterances += 1
        return True

    async def _final(self) -> None:
        text = self.recogniser.text(bytes(self.uncommitted))
        self.uncommitted.clear()
        timed = {"language_code": "en", "words": [{"text": word, "type": "word"} for word in text.split()]}
        forms = [("committed_transcript", {}), ("committed_transcript_with_timestamps", timed)]
        if self.script.twins == "timed":
            forms.reverse()
        elif self.script.twins != "plain" and self.seen.request.query.get("include_timestamps") != "true":
            del forms[1]
        for kind, fields in forms * (2 if self.script.double_final else 1):
            await self.send(kind, text=text, **fields)
        if self.script.late_partial:
            self.late = text
            await self.send("partial_transcript", text=text)

    def _config(self) -> dict[str, object]:
        query = self.seen.request.query
        return {
            "audio_format": query.get("audio_format", "pcm_16000"),
            "sample_rate": 8000,
            "model_id": query["model_id"],
            "language_code": query.get("language_code"),
            "vad_commit_strategy": query.get("commit_strategy") == "vad",
            "include_timestamps": query.get("include_timestamps") == "true",
        }
