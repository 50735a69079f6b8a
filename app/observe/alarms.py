"""When failures become an alarm, and when it is over: sliding windows of what succeeded and what failed.

Pure: time comes in.
"""

from collections import deque
from dataclasses import dataclass, field

WINDOW_S = 300.0
STEP_S = 10.0  # how finely the window slides: thirty steps, whatever the traffic
RAISE_ABOVE = 0.10
CLEAR_BELOW = 0.05  # half of what raises, or an alarm would come and go with every failure
LEAST = 5  # things that happened; of fewer a share says nothing
BUDGET = "budget"
LEAST_STANDING_S = 60.0  # seconds: shorter alarms would be over before anybody has looked


@dataclass(slots=True)
class Step:
    """What happened within `STEP_S` from `since` on."""

    since: float
    happened: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something is wrong and somebody should look."""

    name: str
    """`generations`, `sessions`, `auth`, `auth_suspect`, `budget`: few, so it may be a metric's label."""
    subject: str
    """The provider, `calls`, or a level of a budget."""
    reason: str


@dataclass(frozen=True, slots=True)
class Raised:
    """The alarm began."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Cleared:
    """The alarm is over, after `stood_s`."""

    alarm: Alarm
    stood_s: float


Change = Raised | Cleared


@dataclass(slots=True)
class Window:
    """The last five minutes of one subject."""

    steps: deque[Step] = field(default_factory=deque)

    def count(self, now: float, *, failed: bool) -> None:
        since = now - now % STEP_S
        if not self.steps or self.steps[-1].since != since:
            self.steps.append(Step(since))
        self.steps[-1].happened += 1
        self.steps[-1].failed += failed

    def totals(self, now: float) -> tuple[int, int]:
        """What happened and what failed in the window that ends now."""
        while self.steps and self.steps[0].since + STEP_S <= now - WINDOW_S:
            self.steps.popleft()
        return sum(step.happened for step in self.steps), sum(step.failed for step in self.steps)


@dataclass(slots=True)
class _Doubt:
    """A key that was refused and has not worked since."""

    refused_at: float
    worked: bool = False


class Alarms:
    """The machine: tell it what happened, then ask what changed."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], Window] = {}
        self._doubts: dict[tuple[str, str], _Doubt] = {}
        self._levels: dict[tuple[str, str], str] = {}  # of budgets: why they stand, empty when they are over
        self._standing: dict[tuple[str, str], tuple[Alarm, float]] = {}

    @property
    def active(self) -> list[Alarm]:
        """The alarms that stand, oldest first."""
        return [alarm for alarm, _ in self._standing.values()]

    def happened(self, name: str, subject: str, now: float, *, failed: bool) -> None:
        """A generation or a session ended well or badly."""
        self._windows.setdefault((name, subject), Window()).count(now, failed=failed)

    def key_refused(self, name: str, subject: str, now: float) -> None:
        """A vendor refused our key: `auth`, or `auth_suspect` where it worked a moment ago."""
        self._doubts[name, subject] = _Doubt(now)

    def key_worked(self, subject: str) -> None:
        """A vendor took our key."""
        for (_, doubted), doubt in self._doubts.items():
            doubt.worked = doubt.worked or doubted == subject

    def budget_reached(self, level: str, reason: str) -> None:
        """So much of a budget is spent; stands until the budget is renewed."""
        self._levels[BUDGET, level] = reason

    def budget_renewed(self, level: str) -> None:
        self._levels[BUDGET, level] = ""

    def rates(self, now: float) -> list[dict[str, object]]:
        """What happened in the window, by subject."""
        found = []
        for (name, subject), window in self._windows.items():
            happened, failed = window.totals(now)
            found.append({"of": name, "subject": subject, "happened": happened, "failed": failed})
        return found

    def judge(self, now: float) -> list[Change]:
        """What has changed by now."""
        changes: list[Change] = []
        for key, window in self._windows.items():
            happened, failed = window.totals(now)
            bad = happened >= LEAST and failed > RAISE_ABOVE * happened
            well = failed <= CLEAR_BELOW * happened
            reason = f"{failed} of {happened} {key[0]} failed within {WINDOW_S:.0f} s"
            changes += self._decide(key, now, bad=bad, well=well, reason=reason)
        for key, doubt in list(self._doubts.items()):
            changes += self._decide(
                key, now, bad=not doubt.worked, well=self._is_settled(key, doubt, now), reason="key refused"
            )
            if key not in self._standing:
                del self._doubts[key]
        for key, reason in list(self._levels.items()):
            changes += self._decide(key, now, bad=bool(reason), well=not reason, reason=reason)
            if key not in self._standing:
                del self._levels[key]
        return changes

    def _is_settled(self, key: tuple[str, str], doubt: _Doubt, now: float) -> bool:
        """A refused key must work again; a doubt about one also passes by itself."""
        passed = key[0] == "auth_suspect" and now - doubt.refused_at >= WINDOW_S
        return passed or (doubt.worked and now - doubt.refused_at >= LEAST_STANDING_S)

    def _decide(
        self, key: tuple[str, str], now: float, *, bad: bool, well: bool, reason: str
    ) -> list[Change]:
        standing = self._standing.get(key)
        if standing is None:
            if not bad or well:
                return []
            alarm = Alarm(*key, reason)
            self._standing[key] = (alarm, now)
            return [Raised(alarm)]
        alarm, since = standing
        if not well or now - since < LEAST_STANDING_S:
            return []
        del self._standing[key]
        return [Cleared(alarm, now - since)]
