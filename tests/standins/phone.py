"""A phone in memory: a real implementation of the call's socket port that plays audio in (virtual) time."""

import asyncio
import json
from base64 import b64decode
from collections import deque
from typing import Any

from app import clock
from app.telephony import messages
from app.telephony.stream import MediaStream

STREAM_SID = "MZ" + "0" * 32
CALL_SID = "CA" + "0" * 32


class Phone:
    """Twilio's end of one media socket; `heard` is all audio that was sent to it.

    Args:
        returns_marks: whether marks come back when all before them was played.
        reads: whether it takes what is sent; a phone that does not makes the sender wait.
    """

    def __init__(self, *, returns_marks: bool = True) -> None:
        self.heard = bytearray()
        self.sent: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self._returns_marks = returns_marks
        self._played_until = 0.0
        self._pending: dict[str, asyncio.TimerHandle] = {}
        self._to_bridge: deque[str | bytes | None] = deque()
        self._bell = asyncio.Event()

    def stream(self) -> tuple[MediaStream, messages.Started]:
        """A stream that has begun, as the door hands it to the call."""
        stream = MediaStream()
        stream.receive('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        body = {
            "streamSid": STREAM_SID,
            "callSid": CALL_SID,
            "accountSid": "AC1",
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        started = stream.receive(json.dumps({"event": "start", "streamSid": STREAM_SID, "start": body}))
        assert isinstance(started, messages.Started)
        return stream, started

    def say(self, **message: Any) -> None:
        """Put a message on the wire to the bridge."""
        self.put(json.dumps({"streamSid": STREAM_SID, **message}))

    def put(self, text: str | bytes | None) -> None:
        """Put anything on the wire to the bridge; None ends it."""
        self._to_bridge.append(text)
        self._bell.set()

    def hang_up(self) -> None:
        self.say(event="stop", stop={"accountSid": "AC1", "callSid": CALL_SID})

    def vanish(self) -> None:
        """Go away without a word."""
        self.put(None)

    def names(self) -> list[str]:
        """The events sent to us, repetitions of one folded."""
        events = [message["event"] for message in self.sent]
        return [event for before, event in zip([None, *events], events, strict=False) if event != before]

    async def receive(self) -> str | bytes | None:
        while not self._to_bridge:
            self._bell.clear()
            await self._bell.wait()
        return self._to_bridge.popleft()

    async def send(self, text: str) -> bool:
        await self.reads.wait()
        if self.closed:
            return False
        message = json.loads(text)
        self.sent.append(message)
        self._played_until = max(self._played_until, clock.now())
        if message["event"] == "media":
            mulaw = b64decode(message["media"]["payload"])
            self.heard += mulaw
            self._played_until += len(mulaw) / 8000
        elif message["event"] == "mark" and self._returns_marks:
            timer = asyncio.get_running_loop().call_at(self._played_until, self._return, message["mark"])
            self._pending[message["mark"]["name"]] = timer
        elif message["event"] == "clear":
            self._played_until = clock.now()
            for name, timer in list(self._pending.items()):
                timer.cancel()
                self._return({"name": name})
        return True

    async def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)
        self.put(None)

    def _return(self, mark: dict[str, str]) -> None:
        del self._pending[mark["name"]]
        self.say(event="mark", mark=mark)
