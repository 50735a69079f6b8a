"""The shell around playout: takes frames as they come, puts them on the socket when they are due."""

import asyncio
from dataclasses import dataclass

from app import clock
from app.audio.frame import FRAME_BYTES, FRAME_MS
from app.calls.port import Socket
from app.log import log
from app.playout.marks import Fate, Marks
from app.playout.pacer import Mark, Pacer, Play
from app.telephony.stream import MediaStream, State

LONGEST_QUEUE_MS = (
    60_000  # media ms; beyond it the provider waits. 480 KB of mu-law, the bound of a call's memory
)
MARK_GRACE_S = 3.0  # seconds past the end of playback in which a mark must be back; a phone network's buffers


@dataclass(slots=True)
class Tally:
    """What has left; `reply_*` since the last reply was heard to its end."""

    first_sent_at: float | None = None
    messages: int = 0
    reply_frames: int = 0
    reply_underruns: int = 0
    reply_underrun_ms: float = 0.0


class Player:
    """One call's way out: `put` and `mark` from the speaker, `run` beside it, `clear` to fall silent."""

    def __init__(self, stream: MediaStream, socket: Socket, *, lead_s: float) -> None:
        self.pacer = Pacer(lead_s)
        self.marks: Marks[str] = Marks()
        self.tally = Tally()
        self._stream = stream
        self._socket = socket
        self._wake = asyncio.Event()  # something was put, or the time has come
        self._moved = asyncio.Event()  # frames left or a mark came back
        self._clear_due = False

    async def put(self, mulaw: bytes) -> None:
        """Queue whole frames; waits while a minute of audio is queued, so that the provider waits too."""
        while self.pacer.queued_ms > LONGEST_QUEUE_MS:
            await self._wait_for_movement()
        self.pacer.put(mulaw)
        self._wake.set()

    async def wait_until_less_than(self, queued_ms: int) -> None:
        """Wait until less than that much audio waits to leave."""
        while self.pacer.queued_ms >= queued_ms:
            await self._wait_for_movement()

    def mark(self, sentence: str) -> None:
        """All of `sentence` has been put; its mark comes back when the phone has played it."""
        self.pacer.mark(self.marks.name(sentence))
        self._wake.set()

    def end(self) -> None:
        """Nothing more belongs to this reply: running dry from here on is not an underrun."""
        self.pacer.end()

    def clear(self) -> None:
        """Fall silent: nothing that was put before leaves any more, and Twilio drops what it has."""
        for name in self.pacer.clear().marks:
            self.marks.settle(name, played=False)
        self._clear_due = True
        self._wake.set()

    async def run(self) -> None:
        """Send what is due until the socket is gone or the call cancels this."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            if not await self._send_due():
                return
            self._report_underrun()
            self._moved.set()
            if self._clear_due:
                continue
            deadline = self.pacer.next_release()
            timer = None if deadline is None else loop.call_at(deadline, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    def returned(self, name: str, *, played: bool) -> str | None:
        """A mark came back: the sentence it stands for, the first time."""
        sentence = self.marks.settle(name, played=played)
        self._moved.set()
        if not self.pacer.queued_ms and not self.marks.outstanding:
            self._report_reply()
        return sentence

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
            log.warning("playout.marks_missing", marks=self.marks.outstanding, waited_s=round(remaining_s, 1))

    async def _send_due(self) -> bool:
        """Send one release, `clear` before everything; False once the stream is over."""
        if self._clear_due:
            self._clear_due = False
            if self._is_over or not await self._socket.send(self._stream.clear()):
                return False
        for due in self.pacer.release(clock.now()):
            # Between two sends the caller may have hung up, or taken the floor: nothing old may follow.
            if self._clear_due:
                break
            if self._is_over or not await self._socket.send(self._text(due)):
                return False
        return True

    @property
    def _is_over(self) -> bool:
        return self._stream.state is State.STOPPED

    async def _wait_for_movement(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    def _text(self, due: Play | Mark) -> str:
        if isinstance(due, Mark):
            return self._stream.mark(due.name)
        tally = self.tally
        if tally.first_sent_at is None:
            tally.first_sent_at = clock.now()
        tally.messages += 1
        tally.reply_frames += len(due.mulaw) // FRAME_BYTES
        return self._stream.play(due.mulaw)

    def _report_underrun(self) -> None:
        tally, met = self.tally, self.pacer.underruns
        if met.count > tally.reply_underruns:
            gap_ms = round(met.total_ms - tally.reply_underrun_ms)
            log.warning("playout.underrun", gap_ms=gap_ms, underruns=met.count)
            tally.reply_underruns, tally.reply_underrun_ms = met.count, met.total_ms

    def _report_reply(self) -> None:
        tally = self.tally
        log.info(
            "playout.reply_heard",
            frames=tally.reply_frames,
            bytes_out=tally.reply_frames * FRAME_BYTES,
            audio_ms=tally.reply_frames * FRAME_MS,
            underruns=self.pacer.underruns.count,
            sentences=self.count(Fate.PLAYED),
        )
        tally.reply_frames = 0
