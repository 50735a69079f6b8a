"""Which sentence each mark stands for, and what became of it."""

from enum import StrEnum
from typing import Generic, TypeVar

Sentence = TypeVar("Sentence")

KEPT = 256  # sentences; far more than Twilio ever has in its buffer


class Fate(StrEnum):
    """What is known of a sentence that was sent, or was to be."""

    OUTSTANDING = "outstanding"
    PLAYED = "played"
    CLEARED = "cleared"


class Marks(Generic[Sentence]):
    """A ledger of the last `kept` sentences of a call, in the order in which they were spoken."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._count = 0
        self._lines: dict[str, tuple[Sentence, Fate]] = {}

    def name(self, sentence: Sentence) -> str:
        """A name, unique in this call, for the mark that follows `sentence`; forgets the oldest if full."""
        if len(self._lines) == self._kept:
            del self._lines[next(iter(self._lines))]
        self._count += 1
        name = f"s{self._count}"
        self._lines[name] = (sentence, Fate.OUTSTANDING)
        return name

    def settle(self, name: str, *, played: bool) -> Sentence | None:
        """A mark came back, or was dropped before it left; gives its sentence the first time, then None."""
        line = self._lines.get(name)
        if line is None or line[1] is not Fate.OUTSTANDING:
            return None
        self._lines[name] = (line[0], Fate.PLAYED if played else Fate.CLEARED)
        return line[0]

    def fates(self) -> list[tuple[Sentence, Fate]]:
        """Every sentence kept, oldest first."""
        return list(self._lines.values())

    @property
    def outstanding(self) -> int:
        """Sentences on their way: while there are any, the caller hears us."""
        return sum(fate is Fate.OUTSTANDING for _, fate in self._lines.values())
