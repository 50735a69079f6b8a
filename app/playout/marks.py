"""Which sentence each mark stands for, when the phone plays it, and what became of it."""

from dataclasses import dataclass, field
from enum import StrEnum

from app.speech.port import Spoken

KEPT = 256  # sentences; far more than Twilio ever has in its buffer


class Fate(StrEnum):
    """What is known of a sentence that was begun."""

    OUTSTANDING = "outstanding"
    PLAYED = "played"
    CLEARED = "cleared"


@dataclass(slots=True)
class Line:
    """One sentence on its way to the ear; instants are monotonic seconds."""

    text: str
    interruptible: bool = True
    is_reply: bool = True
    """False for a filler, which is no part of what the conversation ordered."""
    is_text: bool = True
    """False for ready audio, of which `text` is only the label."""
    begins_at: float | None = None
    """When the phone begins to play it; None until its first frame has left. Later by every standstill."""
    ends_at: float | None = None
    """When the phone has played all of it; None until its last frame has left."""
    made_ms: int = 0
    """Audio of it so far; all of it once `is_made`."""
    is_made: bool = False
    places: list[Spoken] = field(default_factory=list)
    """Where in `text` the audio is, in media ms of the line, as far as voices told."""
    quiet_ms: int = 0
    """Of what is made, the silence behind its last sound."""
    fate: Fate = Fate.OUTSTANDING

    @property
    def heard_by(self) -> float | None:
        """When the phone has played its last sound; None until its last frame has left."""
        return None if self.ends_at is None else self.ends_at - self.quiet_ms / 1000


class Marks:
    """A ledger of the last `kept` sentences of a call, in the order in which they were spoken.

    Every line has two marks: the beginning is ours alone and never sent, the end is Twilio's and comes back.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._count = 0
        self._begins: dict[str, Line] = {}
        self._ends: dict[str, Line] = {}
        self._lines: list[Line] = []

    def begin(self, line: Line) -> str:
        """A name for the mark before `line`; forgets the oldest line if full."""
        if len(self._lines) == self._kept:
            oldest = self._lines.pop(0)
            self._ends = {name: line for name, line in self._ends.items() if line is not oldest}
        self._lines.append(line)
        return self._name("b", self._begins, line)

    def end(self, line: Line) -> str:
        """A name, unique in this call, for the mark behind `line`; a new one each time it is asked for."""
        return self._name("s", self._ends, line)

    def begins(self, name: str, at: float) -> Line | None:
        """The mark before a line has left: its line; None for any other mark."""
        line = self._begins.pop(name, None)
        if line is not None:
            line.begins_at = at
        return line

    def leaves(self, name: str, at: float) -> Line | None:
        """The mark behind a line has left, the phone reaches it `at`: its line; None for any other mark."""
        line = self._ends.get(name)
        if line is not None:
            line.ends_at = at
        return line

    def recall(self, now: float) -> None:
        """What the phone has not played by `now` was taken back from it."""
        for line in self._ends.values():
            if line.ends_at is not None and line.ends_at > now:
                line.ends_at = None

    def settle(self, name: str, *, played: bool) -> Line | None:
        """A mark came back: its line, when that is now known to have been played, or cleared."""
        line = self._ends.pop(name, None)
        if line is None or line.fate is not Fate.OUTSTANDING:
            return None
        line.fate = Fate.PLAYED if played else Fate.CLEARED
        return line

    def take(self, name: str) -> Line | None:
        """The line that stands behind the mark `name`, which is not going to come back."""
        return self._ends.pop(name, None)

    def abandon(self) -> list[Line]:
        """Nothing of what is on its way will be played: those lines, in order."""
        lost = self.unheard()
        for line in lost:
            line.fate = Fate.CLEARED
        self._begins.clear()
        self._ends.clear()
        return lost

    def unheard(self) -> list[Line]:
        """What is on its way, in order."""
        return [line for line in self._lines if line.fate is Fate.OUTSTANDING]

    def stood_still(self, since: float, until: float) -> None:
        """The phone was silent in the midst of what it plays: as if that had begun so much later."""
        for line in self.unheard():
            if line.begins_at is not None and (line.ends_at is None or line.ends_at > since):
                line.begins_at += until - since

    def sent_ends(self) -> list[tuple[str, float]]:
        """The marks that have left and not come back, and when the phone reaches them."""
        return [(name, line.ends_at) for name, line in self._ends.items() if line.ends_at is not None]

    def count(self, fate: Fate) -> int:
        return sum(line.fate is fate for line in self._lines)

    @property
    def outstanding(self) -> int:
        """Sentences on their way: while there are any, the caller hears us."""
        return self.count(Fate.OUTSTANDING)

    def _name(self, kind: str, names: dict[str, Line], line: Line) -> str:
        self._count += 1
        name = f"{kind}{self._count}"
        names[name] = line
        return name
