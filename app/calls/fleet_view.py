"""What one replica knows of the fleet's slots and line."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app import clock
from app.calls.desk_ledger import Standing, View
from app.calls.reception import Caller, Policy, Reception
from app.calls.waiting import LocalLine, Waiter

SELDOM_S = 1.0  # seconds between two looks while nobody waits


@dataclass(slots=True)
class FleetSlots:
    """The house as the store told of it last."""

    max_calls: int = 0
    inside: set[str] = field(default_factory=set)

    @property
    def taken(self) -> int:
        return len(self.inside)

    def calls(self) -> set[str]:
        return set(self.inside)

    def expire(self, now: float) -> list[str]:
        """The store does that."""
        return []


class FleetView:
    """The store's slots and line as they were told last, so that a reception can decide over them.

    Args:
        policy: by how many calls the fleet takes.
        max_waiting: in line; 0: there is no line.
        scarce: as of `Reception`.
    """

    def __init__(self, policy: Callable[[int], Policy], max_waiting: int, scarce: Callable[[], str]) -> None:
        self.slots = FleetSlots()
        self.line = LocalLine(max_waiting)
        self.reception = Reception(
            self.slots, policy=policy(1), line=self.line if max_waiting else None, scarce=scarce
        )
        self.version = ""
        self.settling = False
        self._policy = policy
        self._seen_at = float("-inf")
        self._lapsed: list[str] = []
        self._forgotten: list[Waiter] = []

    def is_due(self) -> bool:
        """Whether it is time for another look: often while somebody waits."""
        return bool(self.line) or clock.now() - self._seen_at >= SELDOM_S

    def is_stale(self) -> None:
        """What was changed here did not hold: all is to be told again."""
        self.version = ""

    def fill(self) -> None:
        """Until the next look no slot is free."""
        self.slots.max_calls = 0

    def taken_lapsed(self) -> list[str]:
        """Who has left the line without a word; each is told once."""
        lapsed, self._lapsed = self._lapsed, []
        return lapsed

    def taken_forgotten(self) -> list[Waiter]:
        """Who waited before the store was emptied; each is told once."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def take(self, standing: Standing) -> None:
        """What the store has told."""
        self._seen_at = clock.now()
        if standing.settling and not self.settling:
            self._forgotten = list(self.line)
        self.settling = standing.settling
        if standing.room != self.slots.max_calls:
            self.slots.max_calls = standing.room
            self.reception.policy = self._policy(max(1, standing.room))
        if standing.view is not None:
            self.version = standing.version
            self._show(standing.view, standing.now_ms)
        self._lapsed += standing.lapsed

    def _show(self, view: View, now_ms: int) -> None:
        self.slots.inside.clear()
        self.slots.inside |= view.inside
        for call_sid in view.inside:
            self.reception.know(_caller(call_sid, view.numbers.get(call_sid, "")))

        def moment(told_ms: int) -> float:
            return clock.now() - (now_ms - told_ms) / 1000

        waiters = []
        for call_sid, since_ms in view.line:
            who = _caller(call_sid, view.numbers.get(call_sid, ""))
            fetched_ms = view.fetched.get(call_sid)
            fetched_at = None if fetched_ms is None else moment(fetched_ms)
            since = moment(since_ms)
            waiters.append(Waiter(call_sid, who.number, who.called, since, float("inf"), fetched_at))
        self.line.show(waiters)


def numbers_of(caller: Caller) -> str:
    """Of the caller, as the store keeps them."""
    return f"{caller.number} {caller.called}"


def _caller(call_sid: str, numbers: str) -> Caller:
    number, _, called = numbers.partition(" ")
    return Caller(call_sid, number, called)
