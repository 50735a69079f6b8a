"""The shell around playout: takes frames as they come, puts them on the socket when they are due."""

import asyncio
from typing import Protocol

from app import clock
from app.audio.quiet import quiet_end_ms
from app.audio.tone import tone
from app.calls.port import Socket
from app.calls.tally import Tally
from app.conversation.history import split_heard
from app.log import log
from app.playout.held import Held, hold
from app.playout.marks import Fate, Line, Marks
from app.playout.pacer import Mark, Pacer, Play
from app.telephony.stream import MediaStream, State

LONGEST_QUEUE_MS = 60_000  # media ms; beyond it the provider waits. 480 KB, the bound of a call's memory
MARK_GRACE_S = 3.0  # seconds past the end of playback in which a mark must be back; a phone network's buffers
BEEP = tone(1000, 300)
NETWORK_S = 0.2  # seconds in which the phone network plays what Twilio has let go
BYTES_PER_MS = 8
SENT_KEPT = 6 * 8000  # bytes that left last: more than the longest lead, for what is cut before it is played


class Audience(Protocol):
    """Who is told how the playing goes."""

    def line_began(self, line: Line) -> None:
        """The first frame of a sentence has left."""

    def line_left(self, line: Line) -> None:
        """The last frame of a sentence has left: `line.heard_by` is known."""

    def line_heard(self, line: Line) -> None:
        """The phone has played all of a sentence."""

    def frames_left(self, mulaw: bytes, plays_at: float) -> None:
        """Frames have left, which the phone plays from then on."""

    def silenced(self) -> None:
        """What has left and is not played yet will not be played now."""


class Player:
    """One call's way out: the speaker begins, puts and finishes; `run` sends; `hold` falls silent."""

    def __init__(self, stream: MediaStream, socket: Socket, audience: Audience, *, lead_s: float) -> None:
        self.pacer = Pacer(lead_s)
        self.marks = Marks()
        self.tally = Tally()
        self._wire = (stream, socket)
        self._audience = audience
        self._bells = Bells()
        self._cut = Cut()

    async def begin(self, line: Line) -> None:
        """The audio that follows is this sentence."""
        await self._unless_held()
        self._cut.line = line
        self.pacer.mark(self.marks.begin(line))

    async def put(self, mulaw: bytes) -> None:
        """Queue whole frames; waits while a minute of audio is queued, so that the provider waits too."""
        await self._unless_held()
        await self.wait_until_less_than(LONGEST_QUEUE_MS)
        self.pacer.put(mulaw)
        if self._cut.line is not None:
            self._cut.made(mulaw)
        self._bells.wake.set()

    async def finish(self, line: Line) -> None:
        """All of the sentence has been put; its mark comes back when the phone has played it."""
        await self._unless_held()
        line.is_made = True
        self._cut.line = None
        self.pacer.mark(self.marks.end(line))
        self._bells.wake.set()

    def interject(self, line: Line, mulaw: bytes) -> None:
        """Play ready frames now, before anything that is still being made."""
        line.made_ms, line.is_made = len(mulaw) // BYTES_PER_MS, True
        self.pacer.mark(self.marks.begin(line))
        self.pacer.put(mulaw)
        self.pacer.mark(self.marks.end(line))
        self.pacer.end()
        self._bells.wake.set()

    def beep(self) -> None:
        """The tone after which a message is recorded; leaves at once, for the phone has played all else."""
        self.pacer.put(BEEP)
        self.pacer.end()
        self._bells.wake.set()

    def end(self) -> None:
        """Nothing more belongs to this reply: running dry from here on is not an underrun."""
        self.pacer.end()

    def hold(self) -> None:
        """Fall silent at once, and keep what the phone has not played."""
        if self._cut.held is not None:
            return
        now = clock.now()
        played_until = self.pacer.played_until
        sent_marks = [(name, at) for name, at in self.marks.sent_ends() if at > now]
        self._cut.held = hold(now, played_until, bytes(self._cut.sent), sent_marks, self.pacer.clear())
        self.marks.recall(now)
        self._cut.sent.clear()
        # The phone's own buffers play on for some 100 ms: until then a `clear` may still catch a word.
        self._cut.clear_due = played_until > now - NETWORK_S
        self._audience.silenced()
        self._bells.wake.set()

    def resume(self) -> None:
        """Go on where the phone fell silent."""
        held, self._cut.held = self._cut.held, None
        if held is not None:
            self.marks.stood_still(held.cut_at, clock.now())
        for piece in held.pieces() if held is not None else ():
            if isinstance(piece, bytes):
                self.pacer.put(piece)
            elif (line := self.marks.take(piece)) is not None:
                self.pacer.mark(self.marks.end(line))  # Twilio has echoed the old name already
            else:
                self.pacer.mark(piece)
        self._bells.ring()

    def abandon(self) -> tuple[str, str]:
        """Drop what is held: the words of it that were heard, and those that were not."""
        held, self._cut.held = self._cut.held, None
        cut_at = held.cut_at if held is not None else clock.now()
        heard, unheard = [], []
        for line in self.marks.abandon():
            first, rest = _split(line, cut_at)
            heard.append(first)
            unheard.append(rest)
        self._bells.ring()
        return _joined(heard), _joined(unheard)

    async def run(self) -> None:
        """Send what is due until the stream is over or the call cancels this."""
        loop, bells = asyncio.get_running_loop(), self._bells
        while True:
            bells.wake.clear()
            if not await self._send_due():
                return
            self.tally.report_underrun(self.pacer.underruns)
            bells.moved.set()
            if self._cut.clear_due:
                continue
            deadline = self.pacer.next_release()
            timer = None if deadline is None else loop.call_at(deadline, bells.wake.set)
            try:
                await bells.wake.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    def returned(self, name: str, *, played: bool) -> None:
        """A mark came back; one that was cleared belongs to what is held, or to what was abandoned."""
        if played and (line := self.marks.settle(name, played=True)) is not None:
            self._audience.line_heard(line)
            if not self.is_speaking:
                self.tally.report_reply(self.marks.count(Fate.PLAYED))
        self._bells.moved.set()

    @property
    def is_speaking(self) -> bool:
        """Whether the caller hears us, or will as soon as what is held is resumed."""
        return bool(self.pacer.queued_ms or self.marks.outstanding or self._cut.held)

    async def heard_all(self) -> None:
        """Wait until the phone has played everything, or should have long ago (a mark can be lost)."""
        while self.is_speaking:
            buffered_s = max(0.0, self.pacer.played_until - clock.now())
            patience_s = None if self._cut.held else buffered_s + self.pacer.queued_ms / 1000 + MARK_GRACE_S
            try:
                async with asyncio.timeout(patience_s):
                    await self._bells.next_movement()
            except TimeoutError:
                log.warning("playout.marks_missing", marks=self.marks.outstanding, waited_s=patience_s)
                self.marks.abandon()

    async def wait_until_less_than(self, queued_ms: int) -> None:
        """Wait until less than that much audio waits to leave."""
        while self.pacer.queued_ms >= queued_ms:
            await self._bells.next_movement()

    async def _unless_held(self) -> None:
        while self._cut.held is not None:
            await self._bells.next_movement()

    async def _send_due(self) -> bool:
        """Send one release, `clear` before everything; False once the stream is over."""
        stream, socket = self._wire
        if self._cut.clear_due:
            self._cut.clear_due = False
            if stream.state is State.STOPPED or not await socket.send(stream.clear()):
                return False
        for due in self._released(clock.now()):
            # Between two sends the caller may have hung up, or taken the floor: nothing old may follow.
            if self._cut.clear_due:
                break
            text = self._text(due) if stream.state is State.STREAMING else None
            if text == "":
                continue
            if text is None or not await socket.send(text):
                return False
        return True

    def _released(self, now: float) -> list[Play | Mark]:
        silent_ms = self.pacer.underruns.total_ms
        released = self.pacer.release(now)
        if (silent_ms := self.pacer.underruns.total_ms - silent_ms) > 0:
            self.marks.stood_still(now - silent_ms / 1000, now)
        return released

    def _text(self, due: Play | Mark) -> str:
        """The message for it; none for a mark that is ours alone."""
        stream, _ = self._wire
        if isinstance(due, Play):
            self._cut.keep(due.mulaw)
            self.tally.played(due.mulaw, clock.now())
            self._audience.frames_left(due.mulaw, due.plays_at)
            return stream.play(due.mulaw)
        reached_at = max(due.reached_at, clock.now())  # a phone that is silent reaches it at once
        if (line := self.marks.begins(due.name, reached_at)) is not None:
            self._audience.line_began(line)
            return ""
        if (line := self.marks.leaves(due.name, reached_at)) is not None:
            self._audience.line_left(line)
        return stream.mark(due.name)


class Bells:
    """What the player and those who wait for it wake each other by."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()  # something was put, or the time has come
        self.moved = asyncio.Event()  # frames left, a mark came back, or what was held goes on

    def ring(self) -> None:
        self.wake.set()
        self.moved.set()

    async def next_movement(self) -> None:
        self.moved.clear()
        await self.moved.wait()


class Cut:
    """What a cut needs: the frames that left last, and then what is held."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.held: Held | None = None
        self.line: Line | None = None  # being put
        self.clear_due = False

    def made(self, mulaw: bytes) -> None:
        """So much more of the sentence that is being put."""
        assert self.line is not None
        made_ms, quiet_ms = len(mulaw) // BYTES_PER_MS, quiet_end_ms(mulaw)
        self.line.made_ms += made_ms
        self.line.quiet_ms = self.line.quiet_ms + made_ms if quiet_ms == made_ms else quiet_ms

    def keep(self, mulaw: bytes) -> None:
        self.sent += mulaw
        if len(self.sent) > SENT_KEPT:
            del self.sent[: len(self.sent) - SENT_KEPT]


def _joined(parts: list[str]) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _split(line: Line, cut_at: float) -> tuple[str, str]:
    """The words of a line that were heard before the cut, and the rest."""
    if not line.is_reply:
        return "", ""
    if line.begins_at is None or line.begins_at >= cut_at:
        return "", line.text
    total_ms = line.made_ms if line.is_made else None
    return split_heard(line.text, (cut_at - line.begins_at) * 1000, total_ms, line.places)
