"""What the phone plays: the bridge's audio at real time, 160 bytes every 20 ms, marks and clear included.

An utterance is audio up to its mark. An underrun is a moment in which the buffer ran dry although the
utterance went on: audio follows, and no mark stood in between. For an utterance that gets its mark every such
gap counts, however long; for one that never does (the bridge sends none, or cleared it) only gaps up to
`LONGEST_UNMARKED_GAP_MS` do, since a longer one is a pause between two utterances.
"""

from collections import deque

from app.audio.frame import FRAME_BYTES, FRAME_MS, SAMPLE_RATE, SILENCE
from app.simulator.recording import Recording

LONGEST_BACKLOG_MS = 10 * 60 * 1000  # Twilio's: what comes beyond is discarded, warning 31931
LONGEST_UNMARKED_GAP_MS = 1000
BYTES_PER_MS = SAMPLE_RATE // 1000
SILENT_FRAME = SILENCE * FRAME_BYTES


class Playback:
    """Twilio's buffer, in media time: no clock and no socket, one `tick` is 20 ms."""

    def __init__(
        self,
        figures: "Figures",
        recording: Recording,
        *,
        mark_latency_ms: int = 20,
        longest_backlog_ms: int = LONGEST_BACKLOG_MS,
    ) -> None:
        self.figures = figures
        self._recording = recording
        self._mulaw = bytearray()
        self._put = 0  # bytes since the stream began; less what is waiting, the bytes that are gone
        self._room = longest_backlog_ms * BYTES_PER_MS
        self._latency = mark_latency_ms // FRAME_MS
        self._pending: deque[tuple[int, str]] = deque()  # after how many bytes, which mark
        self._echoes: deque[tuple[int, str]] = deque()  # at which tick, which mark

    def play(self, mulaw: bytes) -> bool:
        """Queue audio of any length; False when the buffer was full and some of it was discarded."""
        kept = mulaw[: max(0, self._room - len(self._mulaw))]
        self._mulaw += kept
        self._put += len(kept)
        self.figures.received_bytes += len(mulaw)
        self.figures.discarded_bytes += len(mulaw) - len(kept)
        self.figures.longest_backlog_bytes = max(self.figures.longest_backlog_bytes, len(self._mulaw))
        return len(kept) == len(mulaw)

    def mark(self, name: str) -> None:
        """Queue a mark behind all audio so far; with none waiting it is reached at once."""
        self.figures.marks += 1
        self._pending.append((self._put, name))
        self._reach()

    def clear(self) -> list[str]:
        """Drop what waits; gives every mark that has not been echoed, for Twilio echoes them at once."""
        names = [name for _, name in (*self._echoes, *self._pending)]
        self._echoes.clear()
        self._pending.clear()
        self.figures.clears += 1
        self.figures.cleared_bytes += len(self._mulaw)
        self._put -= len(self._mulaw)
        self._mulaw.clear()
        self.figures.gaps.utterance_ended(marked=False)
        return names

    def tick(self) -> bytes:
        """Play the next 20 ms: always one frame, `SILENT_FRAME` itself where there is nothing."""
        frame = self._next_frame()
        self._recording.add(frame)
        return frame

    def echoes(self) -> list[str]:
        """The marks that are due to be echoed now."""
        due = []
        while self._echoes and self._echoes[0][0] <= self.figures.ticks:
            due.append(self._echoes.popleft()[1])
        return due

    def finish(self) -> None:
        """The stream is over: settle the figures."""
        self.figures.gaps.utterance_ended(marked=False)

    @property
    def is_quiet(self) -> bool:
        """Nothing is waiting to be played or echoed."""
        return not (self._mulaw or self._pending or self._echoes)

    def _next_frame(self) -> bytes:
        self.figures.ticks += 1
        frame = bytes(self._mulaw[:FRAME_BYTES])
        if frame:
            del self._mulaw[:FRAME_BYTES]
            self.figures.heard_bytes += len(frame)
            self.figures.gaps.heard()
            if self._pending:
                self._reach()
            if len(frame) < FRAME_BYTES:
                self.figures.gaps.dry(FRAME_BYTES - len(frame))
                frame += SILENT_FRAME[len(frame) :]
            return frame
        self.figures.gaps.dry(FRAME_BYTES)
        return SILENT_FRAME

    def _reach(self) -> None:
        played = self._put - len(self._mulaw)
        while self._pending and self._pending[0][0] <= played:
            self._echoes.append((self.figures.ticks + self._latency, self._pending.popleft()[1]))
            self.figures.gaps.utterance_ended(marked=True)


class Gaps:
    """Tells an underrun from a pause, and adds the underruns up."""

    def __init__(self) -> None:
        self.underruns = 0
        self.underrun_bytes = 0
        self._in_utterance = False
        self._dry = 0  # bytes of silence since the buffer ran dry
        self._candidates: list[int] = []  # gaps within the utterance, in bytes

    def heard(self) -> None:
        if self._in_utterance and self._dry:
            self._candidates.append(self._dry)
        self._in_utterance = True
        self._dry = 0

    def dry(self, size: int) -> None:
        if self._in_utterance:
            self._dry += size

    def utterance_ended(self, *, marked: bool) -> None:
        longest = LONGEST_UNMARKED_GAP_MS * BYTES_PER_MS
        counted = [gap for gap in self._candidates if marked or gap <= longest]
        self.underruns += len(counted)
        self.underrun_bytes += sum(counted)
        self._candidates.clear()
        self._in_utterance = False
        self._dry = 0


class Figures:
    """What happened to the audio of one stream, counted in bytes of 1/8 ms."""

    def __init__(self) -> None:
        self.ticks = 0
        self.received_bytes = 0
        self.heard_bytes = 0
        self.cleared_bytes = 0
        self.discarded_bytes = 0
        self.longest_backlog_bytes = 0
        self.marks = 0
        self.clears = 0
        self.gaps = Gaps()
