"""The shell around playout: takes frames as they come, puts them on the socket when they are due."""

import asyncio

from app import clock
from app.calls.port import Socket
from app.playout.marks import Fate, Marks
from app.playout.pacer import Mark, Pacer, Play
from app.telephony.stream import MediaStream

LONGEST_QUEUE_MS = (
    60_000  # media ms; beyond it the provider waits. 480 KB of mu-law, the bound of a call's memory
)
MARK_GRACE_S = 3.0  # seconds past the end of playback in which a mark must be back; a phone network's buffers


class Player:
    """One call's way out: `put` and `mark` from the speaker, `run` beside it, `clear` to fall silent."""

    def __init__(self, stream: MediaStream, socket: Socket, *, lead_s: float) -> None:
        self.pacer = Pacer(lead_s)
        self.marks: Marks[str] = Marks()
        self.first_sent_at: float | None = None
        self._stream = stream
        self._socket = socket
        self._wake = asyncio.Event()  # something was put, or the time has come
        self._moved = asyncio.Event()  # frames left or a mark came back

    async def put(self, mulaw: bytes) -> None:
        """Queue whole frames; waits while a minute of audio is queued, so that the provider waits too."""
        while self.pacer.queued_ms > LONGEST_QUEUE_MS:
            await self._wait_for_movement()
        self.pacer.put(mulaw)
        self._wake.set()

    def mark(self, sentence: str) -> None:
        """All of `sentence` has been put; its mark comes back when the phone has played it."""
        self.pacer.mark(self.marks.name(sentence))
        self._wake.set()

    def end(self) -> None:
        """Nothing more belongs to this reply: running dry from here on is not an underrun."""
        self.pacer.end()

    async def run(self) -> None:
        """Send what is due until the socket is gone or the call cancels this."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            for due in self.pacer.release(clock.now()):
                if not await self._socket.send(self._text(due)):
                    return
            self._moved.set()
            deadline = self.pacer.next_release()
            timer = None if deadline is None else loop.call_at(deadline, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    def returned(self, name: str, *, played: bool) -> str | None:
        """A mark came back: the sentence it stands for, if that was played now."""
        self._moved.set()
        return self.marks.settle(name, played=played)

    def count(self, fate: Fate) -> int:
        """Sentences of this call with that fate."""
        return sum(met is fate for _, met in self.marks.fates())

    async def heard_all(self) -> None:
        """Wait until the phone has played everything, or should have long ago (a mark can be lost)."""
        buffered_s = max(0.0, self.pacer.played_until - clock.now())
        remaining_s = buffered_s + self.pacer.queued_ms / 1000 + MARK_GRACE_S
        try:
            async with asyncio.timeout(remaining_s):
                while self.pacer.queued_ms or self.marks.outstanding:
                    await self._wait_for_movement()
        except TimeoutError:
            return

    async def _wait_for_movement(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    def _text(self, due: Play | Mark) -> str:
        if isinstance(due, Mark):
            return self._stream.mark(due.name)
        if self.first_sent_at is None:
            self.first_sent_at = clock.now()
        return self._stream.play(due.mulaw)
