"""When frames leave: some seconds of lead ahead of the phone, each on a deadline that never drifts."""

import math
from collections import deque
from dataclasses import dataclass, field

FRAME_BYTES = 160  # 20 ms of mu-law
FRAME_S = 0.020
GROUP = 3  # frames in one message: a third of the wake-ups, and at most 60 ms behind which a `clear` waits
GRAIN_S = 0.001  # event loops count in milliseconds: they may wake us that much too soon
SHORTEST_LEAD_S = 0.060  # a group leaves 40 ms below the lead: something must be left


@dataclass(frozen=True, slots=True)
class Play:
    """Send this: whole frames, at most `GROUP` of them."""

    mulaw: bytes
    plays_at: float = field(default=0.0, compare=False)
    """The instant at which the phone begins to play it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Send a mark: all before it has left."""

    name: str
    reached_at: float = field(default=0.0, compare=False)
    """The instant at which the phone will have played all before it."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What `clear` took away before it left."""

    frames: int
    marks: tuple[str, ...]
    mulaw: bytes = field(default=b"", compare=False)
    behind: tuple[int, ...] = field(default=(), compare=False)
    """For each mark, how many of the frames stand before it."""


@dataclass(slots=True)
class Underruns:
    """How often, and how long, the phone fell silent in the midst of a reply."""

    count: int = 0
    total_ms: float = 0.0


class Pacer:
    """Frames in, in bursts; messages out, in time.

    Frame n of a run is played at `start + n * 0.020` and leaves `lead_s` before. A run begins when the
    phone has nothing left to play, and then its first frames leave at once. The queue is not bounded
    here: whoever puts looks at `queued_ms` first and lets the provider wait.
    """

    def __init__(self, lead_s: float = 0.4) -> None:
        if lead_s < SHORTEST_LEAD_S:
            raise ValueError(f"lead of {lead_s} s, expected at least {SHORTEST_LEAD_S}")
        self._lead_s = lead_s
        self._queue = bytearray()
        self._marks: deque[tuple[int, str | None]] = deque()  # frame before which it stands; None: reply ends
        self._next = 0  # the number of the frame that leaves next, counted over the call
        self._origin = -math.inf  # when frame 0 would have been played, had the run begun with it
        self._in_reply = False  # some frames of a reply have left, and more are to come
        self.underruns = Underruns()

    def put(self, mulaw: bytes) -> None:
        """Append audio of the reply: whole frames, any number."""
        if len(mulaw) % FRAME_BYTES:
            raise ValueError(f"{len(mulaw)} bytes of mu-law, expected a multiple of {FRAME_BYTES}")
        self._queue += mulaw

    def mark(self, name: str) -> None:
        """Append a mark after all that was put so far."""
        self._marks.append((self._next + self._queued, name))

    def end(self) -> None:
        """The reply is complete: should the phone fall silent after what was put so far, it may."""
        if self._queue:
            self._marks.append((self._next + self._queued, None))
        else:
            self._in_reply = False

    def next_release(self) -> float | None:
        """The instant to call `release` next, in the past when at once; None while nothing waits."""
        if self._mark_is_next():
            return self._leaves(self._next - 1)
        return self._leaves(self._next + GROUP - 1) if self._queue else None

    def release(self, now: float) -> list[Play | Mark]:
        """Take what may leave. Before `next_release` that is nothing, so ask as often as you like."""
        due = self.next_release()
        if due is None or due > now + GRAIN_S:
            return []
        orders: list[Play | Mark] = self._take_marks()
        if self._queue:
            self._restart_if_dry(now)
            end = 1 + math.floor((now + GRAIN_S + self._lead_s - self._origin) / FRAME_S)
            while self._queue and self._next < end:
                orders.append(self._take_group(end))
                orders += self._take_marks()
        return orders

    def clear(self) -> Dropped:
        """Empty the queue; send Twilio's `clear` with it. The next frame put leaves at once."""
        named = [(at - self._next, name) for at, name in self._marks if name is not None]
        dropped = Dropped(
            self._queued,
            tuple(name for _, name in named),
            bytes(self._queue),
            tuple(behind for behind, _ in named),
        )
        self._queue.clear()
        self._marks.clear()
        self._origin = -math.inf
        self._in_reply = False
        return dropped

    @property
    def queued_ms(self) -> int:
        """Audio that has not left."""
        return self._queued * 20

    @property
    def played_until(self) -> float:
        """The instant at which the phone has played all that has left; minus infinity before the first."""
        return self._origin + self._next * FRAME_S

    @property
    def _queued(self) -> int:
        return len(self._queue) // FRAME_BYTES

    def _leaves(self, frame: int) -> float:
        return self._origin + frame * FRAME_S - self._lead_s

    def _mark_is_next(self) -> bool:
        return bool(self._marks) and self._marks[0][0] == self._next

    def _take_marks(self) -> list[Play | Mark]:
        taken: list[Play | Mark] = []
        while self._mark_is_next():
            _, name = self._marks.popleft()
            if name is None:
                self._in_reply = False
            else:
                taken.append(Mark(name, self.played_until))
        return taken

    def _take_group(self, end: int) -> Play:
        if self._marks:
            end = min(end, self._marks[0][0])
        frames = min(GROUP, end - self._next, self._queued)
        mulaw = bytes(self._queue[: frames * FRAME_BYTES])
        plays_at = self.played_until
        del self._queue[: frames * FRAME_BYTES]
        self._next += frames
        self._in_reply = True
        return Play(mulaw, plays_at)

    def _restart_if_dry(self, now: float) -> None:
        silent_s = now - self.played_until
        if silent_s <= GRAIN_S:
            return
        if self._in_reply:
            self.underruns.count += 1
            self.underruns.total_ms += silent_s * 1000
        self._origin = now - self._next * FRAME_S
