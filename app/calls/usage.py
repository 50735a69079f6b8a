"""How much was used within the last hour and the last day, by whom, in bounded memory. Pure.

Windows slide in steps and never forget too early: an hour is 60 to 65 minutes, a day 24 to 25 hours. `now` is
seconds since 1970, so that figures which were kept over a restart still mean something.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Span = Literal["hour", "day"]
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
        self._length_s, self._step_s = LENGTHS_S[span], STEPS_S[span]
        self.steps: Steps = steps or {}

    def note(self, keys: Iterable[str], used: Used, now: float, *, stranger: str = "") -> None:
        """Add `used` to each of the keys, and to the stranger's own while there is room for strangers.

        What is given back has negative amounts and the `now` of then.
        """
        step = self.steps.setdefault(self.index(now), {})
        for key in keys:
            step.setdefault(key, Used()).add(used)
        if stranger and (stranger in step or len(step) < MOST_KEYS):
            step.setdefault(stranger, Used()).add(used)

    def sum(self, key: str, now: float) -> Used:
        """What the key has used in the window that ends now."""
        total = Used()
        for index, step in self.steps.items():
            if self._counts(index, now) and key in step:
                total.add(step[key])
        return total

    def forget(self, now: float) -> bool:
        """Drop what is out of the window; True when there was something."""
        old = [index for index in self.steps if not self._counts(index, now)]
        for index in old:
            del self.steps[index]
        return bool(old)

    def index(self, now: float) -> int:
        return int(now // self._step_s)

    def _counts(self, index: int, now: float) -> bool:
        """A step from the future is believed while a clock that was set back can explain it."""
        newest = self.index(now)
        return newest - self._length_s // self._step_s <= index <= newest + 1
