"""How much was used within the last hour and the last day, by whom, in bounded memory. Pure.

Windows slide in steps and never forget too early: an hour is 60 to 65 minutes, a day 24 to 25 hours. `now` is
seconds since 1970, so that figures which were kept over a restart still mean something.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import msgspec

Span = Literal["hour", "day"]
SPANS: tuple[Span, ...] = get_args(Span)
LENGTHS_S: Mapping[Span, int] = {"hour": 3600, "day": 86_400}
STEPS_S: Mapping[Span, int] = {"hour": 300, "day": 3600}
MOST_KEYS = 5_000  # in one step; callers who invent a number a call must not fill the memory


class Used(msgspec.Struct, array_like=True):
    """An amount of everything that is counted."""

    calls: int = 0
    ms: int = 0
    """Milliseconds of calls."""
    characters: int = 0

    def add(self, other: "Used") -> None:
        self.calls += other.calls
        self.ms += other.ms
        self.characters += other.characters


Steps = dict[int, dict[str, Used]]
"""What was used in each step, by key."""


class Usage:
    """The sums of one span, by key."""

    def __init__(self, span: Span, steps: Steps | None = None) -> None:
        self._span: Span = span
        self.steps: Steps = steps or {}
        self.changed: set[tuple[int, str]] = set()
        """Step and key of what others were not told yet; whoever tells them takes them out."""
        self.tell_all()

    def note(self, keys: Iterable[str], used: Used, now: float, *, stranger: str = "") -> None:
        """Add `used` to each of the keys, and to the stranger's own while there is room for strangers.

        What is given back has negative amounts and the `now` of then.
        """
        index = index_of(self._span, now)
        step = self.steps.setdefault(index, {})
        known = [stranger] if stranger and (stranger in step or len(step) < MOST_KEYS) else []
        for key in [*keys, *known]:
            step.setdefault(key, Used()).add(used)
            self.changed.add((index, key))

    def tell_all(self) -> None:
        """What was told is to be told again."""
        self.changed |= {(index, key) for index, step in self.steps.items() for key in step}

    def sum(self, key: str, now: float) -> Used:
        """What the key has used in the window that ends now."""
        total = Used()
        for index, step in self.steps.items():
            if key in step and counts(self._span, index, now):
                total.add(step[key])
        return total

    def forget(self, now: float) -> bool:
        """Drop what is out of the window; True when there was something."""
        old = [index for index in self.steps if not counts(self._span, index, now)]
        for index in old:
            self.changed -= {(index, key) for key in self.steps.pop(index)}
        return bool(old)


def index_of(span: Span, now: float) -> int:
    """The step that is now."""
    return int(now // STEPS_S[span])


def oldest_of(span: Span, now: float) -> int:
    """The first step that still counts."""
    return index_of(span, now) - LENGTHS_S[span] // STEPS_S[span]


def counts(span: Span, index: int, now: float) -> bool:
    """A step from the future is believed while a clock that was set back can explain it."""
    return oldest_of(span, now) <= index <= index_of(span, now) + 1
