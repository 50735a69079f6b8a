"""The line of callers who cannot be served now: who stands where, who has left, how fast it moves.

A waiting caller holds no socket: Twilio plays to them and asks again. Each answer says by when
(`expected_by`), and who does not ask by then has gone. No clock: time comes in as `now`.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

REMEMBERED = 10_000  # callers who have left for good; a replayed webhook must not bring them back
GAPS_KEPT = 20  # departures; of the last ones the rate is measured
GAPS_NEEDED = 3  # departures before anything is said of the time


@dataclass(slots=True)
class Waiter:
    """One caller in line."""

    call_sid: str
    caller: str
    called: str
    since: float  # monotonic seconds
    expected_by: float  # monotonic seconds; who has not asked again by then is gone
    fetched_at: float | None = None
    """When Twilio was last asked to send them in."""


class Line(Protocol):
    """The callers in line, in order; of one process, or later of a whole fleet."""

    def join(self, waiter: Waiter) -> bool:
        """Stand behind all who came before; False when the line is full. Joining twice changes nothing."""

    def find(self, call_sid: str) -> Waiter | None:
        """The caller, if they are in line."""

    def leave(self, call_sid: str, *, for_good: bool = True) -> bool:
        """Take the caller out; True when they were in line. Who left for good never joins again."""

    def has_left(self, call_sid: str) -> bool:
        """Whether the caller has left for good."""

    def position(self, call_sid: str) -> int:
        """From 1; 0 for a caller who is not in line."""

    def __iter__(self) -> Iterator[Waiter]: ...

    def __len__(self) -> int: ...


class LocalLine:
    """The line of this process.

    Args:
        most: callers in line at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiters: list[Waiter] = []
        self._left: OrderedDict[str, None] = OrderedDict()

    def join(self, waiter: Waiter) -> bool:
        if self.find(waiter.call_sid) is not None:
            return True
        if len(self._waiters) >= self._most:
            return False
        self._waiters.append(waiter)
        # Stable, and nearly always a caller comes last; one who stood here before comes to their old place.
        self._waiters.sort(key=lambda each: each.since)
        return True

    def find(self, call_sid: str) -> Waiter | None:
        return next((each for each in self._waiters if each.call_sid == call_sid), None)

    def leave(self, call_sid: str, *, for_good: bool = True) -> bool:
        if for_good:
            self._left[call_sid] = None
            while len(self._left) > REMEMBERED:
                self._left.popitem(last=False)
        waiter = self.find(call_sid)
        if waiter is not None:
            self._waiters.remove(waiter)
        return waiter is not None

    def has_left(self, call_sid: str) -> bool:
        return call_sid in self._left

    def show(self, waiters: Iterable[Waiter]) -> None:
        """These stand in line, in this order, whoever stood there before."""
        self._waiters = list(waiters)

    def position(self, call_sid: str) -> int:
        places = enumerate(self._waiters, 1)
        return next((place for place, each in places if each.call_sid == call_sid), 0)

    def __iter__(self) -> Iterator[Waiter]:
        return iter(tuple(self._waiters))

    def __len__(self) -> int:
        return len(self._waiters)


class Pace:
    """How fast a full house empties: the gaps between the calls that left it."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=GAPS_KEPT)
        self._counted_from: float | None = None  # since when the house has been full, or the last one left

    def seen(self, now: float, *, departed: int, is_full: bool) -> None:
        """What has become of the house since the last look; its idle times are not counted."""
        if departed and self._counted_from is not None:
            gap = (now - self._counted_from) / departed
            self._gaps.extend([gap] * departed)
            self._counted_from = now
        if not is_full:
            self._counted_from = None
        elif self._counted_from is None:
            self._counted_from = now

    def wait_s(self, position: int) -> float | None:
        """Until a caller at this position is let in; None while too few have left to tell."""
        if len(self._gaps) < GAPS_NEEDED:
            return None
        return position * sum(self._gaps) / len(self._gaps)
