"""What becomes of a caller who asks to be let in: a slot, a place in line, or a kind no.

A free slot belongs to the first in line, not to whoever rings next. No clock: time comes in as `now`; what is
scarce besides slots is asked of `scarce`.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from app.calls.shares import Shares, group_of
from app.calls.waiting import Line, Pace, Waiter

REMEMBERED = 10_000  # callers who were let in; a replayed webhook comes within seconds or not at all
FIRST_ANSWER_S = 30.0  # seconds until a caller must ask again, before the answer is made that tells
FETCHED_WITHIN_S = 3.0  # seconds; Twilio asks us at once when it is told to send a caller in


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    call_sid: str
    number: str = ""
    called: str = ""


class No(StrEnum):
    """Why a caller is neither let in nor kept in line."""

    HOUSE_FULL = "at_capacity"
    NUMBER_SHARE = "number_share"  # too many calls of this number already
    LINE_FULL = "line_full"
    WAITED_TOO_LONG = "waited_too_long"
    HAS_LEFT = "has_left"  # a replayed webhook of a caller who left the line
    CLOSED = "closed"  # the kill switch
    BUDGET = "budget"  # all that may be spent is spent
    LIMIT = "limit"  # of this caller, of the called number, or of all calls
    NOT_WELCOME = "not_welcome"  # by the operator's lists


@dataclass(frozen=True, slots=True)
class LetIn:
    """Room for the call: reserve its slot at once."""

    passing: tuple[str, ...] = ()
    """Who stands before them in line, and waits for another thing than a slot."""


@dataclass(frozen=True, slots=True)
class Wait:
    """In line."""

    waiter: Waiter
    position: int
    wait_s: float | None
    """Honest guess; None where nothing is known."""


@dataclass(frozen=True, slots=True)
class TurnAway:
    """A goodbye."""

    why: No
    fault: str = ""


Verdict = LetIn | Wait | TurnAway


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator chose."""

    shares: Shares = field(default_factory=Shares)
    max_wait_s: float = 120.0


class Slots(Protocol):
    """The house: how many calls it takes, and who is in it."""

    @property
    def max_calls(self) -> int: ...

    @property
    def taken(self) -> int:
        """Slots in use, reserved ones included."""

    def calls(self) -> set[str]:
        """Their CallSids."""

    def expire(self, now: float) -> list[str]:
        """Give back lapsed reservations."""


def _nothing() -> str:
    return ""


Gate = Callable[[Caller], TurnAway | None]


def _everybody(_caller: Caller) -> TurnAway | None:
    return None


class Reception:
    """Decides over the slots of a house.

    Args:
        slots: of the house.
        policy: may be replaced while it works.
        line: of waiting callers; None turns them away.
        scarce: why no call can be taken although there are slots; empty when one can.
        gate: why somebody new is not taken whatever room there is; None when they are.
    """

    def __init__(
        self,
        slots: Slots,
        *,
        policy: Policy | None = None,
        line: Line | None = None,
        scarce: Callable[[], str] = _nothing,
        gate: Gate = _everybody,
    ) -> None:
        self.slots = slots
        self.line = line
        self.scarce = scarce
        self.gate = gate
        self.policy = policy or Policy()
        self._pace = Pace()
        self._known: OrderedDict[str, Caller] = OrderedDict()  # let in, by CallSid
        self._inside: set[str] = set()

    def receive(
        self,
        caller: Caller,
        now: float,
        *,
        waited_s: float = 0.0,
        fetched: bool = False,
        gate: Gate | None = None,
    ) -> Verdict:
        """Decide; the same call asked about again keeps its one slot or place.

        Args:
            waited_s: how long the caller has been in line already, as they brought it along.
            fetched: they were sent in by `called`.
            gate: in place of its own.
        """
        self.slots.expire(now)
        self.look(now)
        if caller.call_sid in self._known:
            return LetIn()
        waiter = self.line.find(caller.call_sid) if self.line is not None else None
        if waiter is None:
            return self._greet(caller, now, waited_s, gate or self.gate)
        if now - waiter.since >= self.policy.max_wait_s:
            self.leave(caller.call_sid)
            return TurnAway(No.WAITED_TOO_LONG)
        if not fetched and waiter.fetched_at is not None and now - waiter.fetched_at < FETCHED_WITHIN_S:
            return self._wait(waiter)  # this question and the order to fetch them have crossed
        waiter.fetched_at = None
        admissible = self._admissible()
        if caller.call_sid in admissible:
            return self._let_in(caller, admissible, now)
        return self._wait(waiter)

    def place(self, waiter: Waiter, position: int) -> Wait:
        """What a caller at that position is told."""
        return Wait(waiter, position, self._pace.wait_s(position))

    def know(self, caller: Caller) -> None:
        """Somebody is in the house whom another process has let in."""
        self._known[caller.call_sid] = caller
        while len(self._known) > REMEMBERED:
            del self._known[next(sid for sid in self._known if sid not in self._inside)]

    def forget(self, call_sid: str) -> None:
        """They are not in the house after all."""
        self._known.pop(call_sid, None)

    def look(self, now: float) -> list[str]:
        """See what has changed; returns the CallSids of those who left the line without a word."""
        inside = self.slots.calls()
        is_full = len(inside) >= self.slots.max_calls
        self._pace.seen(now, departed=len(self._inside - inside), is_full=is_full)
        self._inside = inside
        lapsed = [each.call_sid for each in self.line or () if each.expected_by < now]
        for call_sid in lapsed:
            self.leave(call_sid, for_good=False)
        return lapsed

    def called(self, now: float) -> list[str]:
        """Who in line can come in now and is to be fetched; each is named once until they ask again."""
        if not self.line:
            return []
        admissible = self._admissible()
        due = [each for each in self.line if each.call_sid in admissible and each.fetched_at is None]
        for each in due:
            each.fetched_at = now
        return [each.call_sid for each in due]

    def leave(self, call_sid: str, *, for_good: bool = True) -> bool:
        """The caller has gone, or chose something else; True when they were in line."""
        return self.line is not None and self.line.leave(call_sid, for_good=for_good)

    @property
    def full(self) -> str:
        """Why a caller who rings now is not let in at once; empty when they are."""
        scarce = self.scarce()
        if scarce:
            return scarce
        taken, most = self.slots.taken, self.slots.max_calls
        if taken >= most:
            return f"at capacity: {taken} of {most} calls"
        waiting = len(self.line or ())
        return f"at capacity: {waiting} in line for {most - taken} slots" if waiting >= most - taken else ""

    def status(self, now: float) -> dict[str, object]:
        """The line for the operator: places and times, no numbers."""
        return {
            "waiting": len(self.line or ()),
            "list": [
                {
                    "call_sid": each.call_sid,
                    "position": position,
                    "waited_s": round(now - each.since, 1),
                    "expected_wait_s": _rounded(self._pace.wait_s(position)),
                }
                for position, each in enumerate(self.line or (), 1)
            ],
        }

    def _greet(self, caller: Caller, now: float, waited_s: float, gate: Gate) -> Verdict:
        """Somebody new, or whom another process knew."""
        if self.line is not None and self.line.has_left(caller.call_sid):
            return TurnAway(No.HAS_LEFT)
        if (no := gate(caller)) is not None:
            return no
        if self.policy.shares.is_over(caller.number, self._present()):
            return TurnAway(No.NUMBER_SHARE, "too many calls of one number")
        admissible = self._admissible(caller)
        if caller.call_sid in admissible:
            return self._let_in(caller, admissible, now)
        if self.line is None:
            return TurnAway(No.HOUSE_FULL, self.full or "the called number's share is taken")
        since = now - min(max(0.0, waited_s), self.policy.max_wait_s)
        waiter = Waiter(caller.call_sid, caller.number, caller.called, since, now + FIRST_ANSWER_S)
        if not self.line.join(waiter):
            return TurnAway(No.LINE_FULL, f"{len(self.line)} in line")
        return self._wait(waiter)

    def _let_in(self, caller: Caller, admissible: set[str], now: float) -> LetIn:
        queue = [each.call_sid for each in self.line or ()]
        before = queue[: queue.index(caller.call_sid)] if caller.call_sid in queue else queue
        if self.line is not None:
            self.line.leave(caller.call_sid, for_good=False)
        self.know(caller)
        if len(self._inside | {caller.call_sid}) >= self.slots.max_calls:
            self._pace.seen(now, departed=0, is_full=True)
        return LetIn(tuple(sid for sid in before if sid not in admissible))

    def _wait(self, waiter: Waiter) -> Wait:
        assert self.line is not None
        return self.place(waiter, self.line.position(waiter.call_sid))

    def _admissible(self, newcomer: Caller | None = None) -> set[str]:
        """Who may come in now, the newcomer last: those whose called number is full are passed by others."""
        free = 0 if self.scarce() else self.slots.max_calls - self.slots.taken
        room = self.policy.shares.room_by_called(Counter(each.called for each in self._guests()))
        queue = [(each.call_sid, each.called) for each in self.line or ()]
        if newcomer is not None:
            queue.append((newcomer.call_sid, newcomer.called))
        admissible: set[str] = set()
        for call_sid, called in queue:
            if len(admissible) >= free:
                break
            if room.get(called, 1) > 0:
                admissible.add(call_sid)
                room.update({called: room[called] - 1} if called in room else {})
        return admissible

    def _guests(self) -> Iterable[Caller]:
        return (self._known[sid] for sid in self.slots.calls() if sid in self._known)

    def _present(self) -> Counter[str]:
        """Calls in the house and in line, by what counts as one caller."""
        numbers = [each.number for each in self._guests()] + [each.caller for each in self.line or ()]
        return Counter(group_of(number) for number in numbers)


def _rounded(wait_s: float | None) -> int | None:
    return None if wait_s is None else round(wait_s)
