"""What the stand-in for ElevenLabs is told to do wrong, and what it remembers of its callers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from tests.standins.wire import Request

# The vendor's own words. Source: captures and issues named in the vendor's public repositories.
FRAMES = {
    "invalid_api_key": "Invalid API key",
    "authentication_required": "None of the authentication methods (xi-api-key, authorization header, "
    "single-use token) were found. Please provide one of them.",
    "voice_id_does_not_exist": "A voice with voice_id {voice} does not exist.",
    "input_timeout_exceeded": "Have not received a new text input within the timeout of 20 seconds. Please "
    "send a new text input within the timeout, or keep the connection open with a single space.",
    "quota_exceeded": "This request exceeds your quota of 10000. You have 0 credits remaining, while 12 "
    "credits are required for this request.",
    "max_active_conversations": "Maximum simultaneous contexts per WebSocket connection exceeded (5). "
    "Close one before opening another.",
    "too_many_concurrent_requests": "Too many concurrent requests. Your current subscription is associated "
    "with a maximum of {limit} concurrent requests (running in parallel).",
    "system_busy": "The system is experiencing heavy traffic, please try again.",
}


@dataclass(frozen=True)
class Script:
    """How one voice behaves; the default does nothing wrong."""

    delay_ms: tuple[int, int] | None = None  # before the first audio of a segment; None: the server's
    refuse: tuple[int, object] | None = None  # status and body of a refused handshake or request
    refuse_headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False  # never answer the handshake or request
    after: int | None = None  # bytes of audio until `error`, `close` or `frame` comes; None: before any audio
    error: str = ""  # word of an error frame, at the first text
    error_message: str = ""  # instead of the usual one
    close: tuple[int, str] | None = None  # close at the first text, without a frame
    frame: str = ""  # text of a frame before any audio: garbage, or a message nobody knows
    silent: bool = False  # a final message, or an empty body, and no audio
    body: bytes | None = None  # instead of the audio
    media_type: str = ""  # instead of the honest one
    audio_format: str = ""  # instead of the one asked for
    cut_after: int | None = None  # bytes of audio until the connection is cut
    broken_chunk: bool = False  # with `cut_after`: inside an HTTP chunk
    stall_after: int | None = None  # bytes of audio until nothing more comes
    trickle: bool = False  # slower than it plays
    no_final: bool = False  # all the audio, and then nothing
    timed: Literal["first", "each", "never"] = "first"  # messages that bear the characters' times, when asked
    pause: tuple[str, int] | None = None  # before these words the audio is silent for so many ms
    padding: int = 0  # bytes that each message is made longer by


# For a stand-in that runs as a process: the voice's name chooses the fault.
NAMED = {
    "fault-stall": Script(stall_after=4000),
    "fault-dead": Script(stall_after=0),
    "fault-cut": Script(cut_after=4000),
    "fault-silent": Script(silent=True),
    "fault-garbage-json": Script(frame="{not json"),
    "fault-garbage-audio": Script(body=bytes(range(256)) * 64),
    "fault-trickle": Script(trickle=True),
    "fault-hang": Script(hang=True),
    "fault-500": Script(refuse=(500, {"detail": {"status": "internal_error", "message": "Internal error"}})),
    "fault-429": Script(
        refuse=(429, {"detail": {"status": "system_busy", "message": FRAMES["system_busy"]}})
    ),
    **{f"fault-{word}": Script(error=word) for word in FRAMES},
}


@dataclass
class Seen:
    """One socket or request, as the stand-in saw it."""

    kind: str  # single, multi or http
    voice: str
    request: Request
    messages: list[dict[str, object]] = field(default_factory=list)
    finished: bool = False  # all audio was sent, and the client was there to take it
    gone: bool = False  # the client has closed

    @property
    def texts(self) -> list[str]:
        """What was to be spoken, without blanks and ends."""
        said = [str(message.get("text", "")) for message in self.messages]
        return [text for text in said if text.strip()]


class OverLimit(Exception):
    """No slot became free in time."""


class Slots:
    """Generations at once: what the vendor's limit counts."""

    def __init__(self, limit: int | None, queue_ms: int) -> None:
        self.limit = limit
        self.running = 0
        self.peak = 0
        self._queue_s = queue_ms / 1000
        self._free = asyncio.Condition()

    @property
    def full(self) -> bool:
        return self.limit is not None and self.running >= self.limit

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        async with self._free:
            try:
                async with asyncio.timeout(self._queue_s):
                    await self._free.wait_for(lambda: not self.full)
            except TimeoutError:
                raise OverLimit from None
            self.running += 1
            self.peak = max(self.peak, self.running)
        try:
            yield
        finally:
            async with self._free:
                self.running -= 1
                self._free.notify()
