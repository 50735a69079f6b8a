"""A stand-in for Deepgram's live recogniser on loopback; it hears as the one for ElevenLabs does."""

import asyncio
import json
from contextlib import suppress

from tests.standins.cloud_ears import CloudEarsStandin, Recogniser, Script, Seen, misbehave
from tests.standins.wire import Request, Socket

KEY = "dg_5ta2d12000000000000000000000000000000000"
QUIET_S = 10.0  # without audio or a text message
INTERIM_BYTES = 4000  # audio between two interim results
SEGMENT_BYTES = 4 * 8000  # audio after which words become final without being asked
NOTICEABLE_BYTES = 160  # less than that in its buffer, and `Finalize` is not answered
GAP = b"\xff" * 160  # the end of a word, where a segment may end

REFUSALS = {
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later"),
    400: ("Bad Request", "Bad Request: failed to process audio: unsupported encoding"),
}
# Close code and reason.
ERRORS = {
    "NET-0001": (
        1011,
        "Deepgram did not receive audio data or a text message within the timeout window. "
        "See https://dpgr.am/net0001",
    ),
    "NET-0000": (
        1011,
        "Deepgram did not provide a response message within the timeout window. See https://dpgr.am/net0000",
    ),
    "DATA-0000": (1008, "Deepgram could not decode the audio. See https://dpgr.am/data0000"),
}


def refusal(status: int) -> tuple[int, object, dict[str, str]]:
    """The vendor's answer in place of a session."""
    code, message = REFUSALS[status]
    body = {"err_code": code, "err_msg": message, "request_id": "standin"}
    return status, body, {"dg-error": code, "dg-request-id": "standin"}


class DeepgramStandin(CloudEarsStandin):
    """The server."""

    path = "/v1/listen"

    def __init__(
        self,
        *scripts: Script,
        words: tuple[str, ...] = (),
        quiet_s: float = QUIET_S,
        limit: int | None = None,
    ) -> None:
        super().__init__(*scripts, words=words, quiet_s=quiet_s)
        self.limit = limit  # sessions at once
        self.sessions = 0

    def refusal(self, request: Request) -> tuple[int, object, dict[str, str]] | None:
        if request.headers.get("authorization") != f"Token {KEY}":
            return refusal(401)
        if self.limit is not None and self.sessions >= self.limit:
            return refusal(429)
        if request.query.get("encoding") != "mulaw" or request.query.get("sample_rate") != "8000":
            return refusal(400)
        return None

    async def converse(self, socket: Socket, script: Script, seen: Seen) -> None:
        self.sessions += 1
        try:
            await _Session(self, socket, script, seen).run()
        finally:
            self.sessions -= 1


class _Session:
    def __init__(self, house: DeepgramStandin, socket: Socket, script: Script, seen: Seen) -> None:
        self.house = house
        self.socket = socket
        self.script = script
        self.seen = seen
        self.recogniser = Recogniser(script)
        self.settled = 0  # bytes of audio about which the words are final

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.house.quiet_s):
                    message = await self.socket.message()
            except TimeoutError:
                await self._metadata()
                await self.fail("NET-0001")
                return
            if message is None:
                return
            if isinstance(message, str):
                going_on = await self._obey(message)
            else:
                going_on = await self._hear(message) if message else await self._end()
            if not going_on:
                return

    async def fail(self, kind: str) -> None:
        await self.socket.close(*ERRORS[kind])

    async def _obey(self, message: str) -> bool:
        order: dict[str, object] = {}
        with suppress(ValueError):
            order = json.loads(message)
        self.seen.messages.append(order)
        if order.get("type") == "CloseStream":
            return await self._end()
        if order.get("type") == "Finalize" and not self.script.mute:
            await asyncio.sleep(self.script.final_ms / 1000)
            if len(self.seen.audio) - self.settled >= NOTICEABLE_BYTES:
                await self._final(len(self.seen.audio), from_finalize=True)
            self.recogniser.utterances += 1
        return True

    async def _hear(self, mulaw: bytes) -> bool:
        before = len(self.seen.audio)
        self.seen.sizes.append(len(mulaw))
        self.seen.audio += mulaw
        if await misbehave(self.socket, self.script, self.seen, self.fail):
            return False
        if self.script.mute:
            return True
        if len(self.seen.audio) - self.settled >= (self.script.segment_bytes or SEGMENT_BYTES):
            word_end = self.seen.audio.rfind(GAP, self.settled) + len(GAP)
            await self._final(word_end if word_end > self.settled + len(GAP) else len(self.seen.audio))
        elif len(self.seen.audio) // INTERIM_BYTES > before // INTERIM_BYTES:
            await self._results(self.settled, len(self.seen.audio), is_final=False)
        return True

    async def _end(self) -> bool:
        if len(self.seen.audio) - self.settled >= NOTICEABLE_BYTES:
            await self._final(len(self.seen.audio))
        await self._metadata()
        await self.socket.close(1000)
        return False

    async def _final(self, until: int, *, from_finalize: bool = False) -> None:
        start, self.settled = self.settled, until
        for _ in range(2 if self.script.double_final else 1):
            await self._results(start, until, is_final=True, from_finalize=from_finalize)
        if self.script.late_partial:
            await self._results(start, until, is_final=False)

    async def _results(self, start: int, until: int, *, is_final: bool, from_finalize: bool = False) -> None:
        text = self.recogniser.text(bytes(self.seen.audio[start:until]))
        alternative = {"transcript": text, "confidence": 0.9 if text else 0.0, "words": []}
        results = {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start / 8000,
            "duration": (until - start) / 8000,
            "is_final": is_final,
            "speech_final": from_finalize,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [alternative]},
            "metadata": {"request_id": "standin", "model_info": {"name": "nova-3"}},
        }
        await self.socket.send(json.dumps(results))

    async def _metadata(self) -> None:
        metadata = {"type": "Metadata", "request_id": "standin", "duration": len(self.seen.audio) / 8000}
        await self.socket.send(json.dumps({**metadata, "channels": 1}))
