"""Whether this process takes new calls, and what becomes of the live ones when it is told to go."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """How far the process is on its way out."""

    SERVING = "serving"
    DRAINING = "draining"  # no new calls; live ones go on
    HANDING_OVER = "handing_over"  # live calls leave at their next silence
    CLOSING = "closing"  # live calls are told, and leave now


@dataclass(frozen=True, slots=True)
class Patience:
    """How long live calls may go on, in seconds from the first signal."""

    hand_over_s: float = 30.0
    """Until calls are handed over at their next silence; most end by themselves before."""
    deadline_s: float = 900.0
    """Until they are handed over in mid-word, with a spoken notice."""
    notice_s: float = 6.0
    """For that notice."""


class Drain:
    """The way out, as a machine: `begin` and `hurry` are the signals, `phase` is asked with the time."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._began: float | None = None
        self._hurried: float | None = None

    @property
    def draining(self) -> bool:
        return self._began is not None

    def begin(self, now: float) -> None:
        """The first SIGTERM; a second one hurries."""
        if self._began is None:
            self._began = now
        else:
            self.hurry(now)

    def hurry(self, now: float) -> None:
        """No more patience: everybody is told, and leaves."""
        self._began = now if self._began is None else self._began
        self._hurried = now if self._hurried is None else self._hurried

    def phase(self, now: float) -> Phase:
        if self._began is None:
            return Phase.SERVING
        passed = now - self._began
        if self._hurried is not None or passed >= self._patience.deadline_s:
            return Phase.CLOSING
        return Phase.HANDING_OVER if passed >= self._patience.hand_over_s else Phase.DRAINING

    def is_over(self, now: float, live: int) -> bool:
        """Whether the process may end: nobody is left, or the notice has been said for long enough."""
        if self._began is None:
            return False
        closing_at = self._began + self._patience.deadline_s if self._hurried is None else self._hurried
        return live == 0 or now >= closing_at + self._patience.notice_s
