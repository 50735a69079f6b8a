"""Spares a vendor that fails, and callers the waiting for it: after some failures it is left alone.

CLOSED ── failures in a row, or one that cannot pass by itself ──▶ OPEN
OPEN ── its pause is over, or a look in the background was good ──▶ HALF_OPEN
HALF_OPEN ── the one sentence that probes succeeds ──▶ CLOSED, fails ──▶ OPEN, for twice as long
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether the vendor is asked."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When a breaker opens, and for how long."""

    failures: int = 3
    """In a row: one is chance, two may be, and a dead vendor costs each of them a second of silence."""
    pause_s: float = 5.0
    """Seconds; vendors' hiccups are over by then. Doubled by each probe that fails."""
    longest_pause_s: float = 60.0
    """Seconds; a vendor that is back is used again within the same call."""
    refused_pause_s: float = 60.0
    """Seconds, where somebody has to pay a bill or change a key first. Doubled as well."""
    longest_refused_pause_s: float = 900.0
    """Seconds: a quarter of an hour after the bill is paid it is noticed without a restart."""
    probe_s: float = 60.0
    """Seconds after which a probe that never told how it went is forgotten."""


USUAL = BreakerLimits()


class Breaker:
    """One vendor's; pure: `now` is monotonic seconds. Ask `may_pass`, then tell how it went."""

    def __init__(self, limits: BreakerLimits = USUAL) -> None:
        self._limits = limits
        self._in_row = 0
        self._open_until: float | None = None  # None: closed
        self._refused = False
        self._pause_s = 0.0
        self._probing_since: float | None = None

    def state(self, now: float) -> State:
        if self._open_until is None:
            return State.CLOSED
        return State.HALF_OPEN if now >= self._open_until else State.OPEN

    def may_pass(self, now: float) -> bool:
        """Whether the vendor may be asked; half open, the first to ask probes and the others may not."""
        match self.state(now):
            case State.CLOSED:
                return True
            case State.OPEN:
                return False
        since = self._probing_since
        if since is not None and now < since + self._limits.probe_s:
            return False
        self._probing_since = now
        return True

    def succeeded(self) -> None:
        """The vendor did what it was asked to."""
        self._in_row, self._open_until, self._probing_since = 0, None, None
        self._refused, self._pause_s = False, 0.0

    def failed(self, now: float, *, for_good: bool = False, retry_after_s: float = 0.0) -> bool:
        """The vendor failed; gives whether this has opened it.

        `for_good`: it cannot pass by itself. `retry_after_s`: so long the vendor wants to be left alone.
        """
        self._in_row += 1
        probed = self.state(now) is State.HALF_OPEN
        if self.state(now) is State.OPEN and not for_good:
            return False  # somebody who had begun before it opened
        if not (probed or for_good or self._in_row >= self._limits.failures):
            return False
        was_open = self._open_until is not None and not probed
        if not was_open:
            self._pause_s = self._next_pause(for_good)
        self._refused = for_good
        self._open_until = now + max(self._pause_s, retry_after_s)
        self._probing_since = None
        return not was_open

    def left(self) -> None:
        """Whoever asked has gone before it was known how it goes: another may probe."""
        self._probing_since = None

    def may_recover(self, now: float) -> bool:
        """Whether a look could end the pause; not after a refusal, for a look is not billed."""
        return self.state(now) is State.OPEN and not self._refused

    def recovered(self, now: float) -> None:
        """A look was good: let one sentence probe."""
        if self.may_recover(now):
            self._open_until = now

    def opens_in(self, now: float) -> float:
        """Seconds until it is half open; 0 when it is, or closed."""
        return max(0.0, (self._open_until or now) - now)

    def _next_pause(self, for_good: bool) -> float:
        limits = self._limits
        first, longest = (
            (limits.refused_pause_s, limits.longest_refused_pause_s)
            if for_good
            else (limits.pause_s, limits.longest_pause_s)
        )
        return min(max(first, 2 * self._pause_s), longest)
