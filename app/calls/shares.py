"""How much of the house one caller's number, or one called number, may take. Pure."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

WITHHELD = "withheld"
SMALL = 5  # calls that any one may have, with those who stand in line
# What Twilio gives as the number of a caller who shows none; the digits spell these words on a keypad.
NO_NUMBERS = frozenset(
    {"anonymous", "restricted", "unavailable", "unknown", "private", "blocked"}
    | {"+266696687", "+7378742833", "+86282452253", "+8656696", "+2562533"}
)


@dataclass(frozen=True, slots=True)
class Shares:
    """The bounds; 0 is none.

    Withheld numbers are many people behind one word, so they count as one group with a bound of its own.
    """

    per_number: int = 0
    """Calls of one calling number at once, those in line included."""
    withheld: int = 0
    """Calls of all withheld numbers together, those in line included."""
    per_called: Mapping[str, int] = field(default_factory=dict)
    """Calls at once by the number that was called; callers beyond it wait, and others pass them."""

    def is_over(self, caller: str, present: Mapping[str, int]) -> bool:
        """Whether one more call of this caller is too many; `present` counts calls by `group_of`."""
        group = group_of(caller)
        if not group:  # Twilio always says who calls; without it nothing is known to be the same
            return False
        bound = self.withheld if group == WITHHELD else self.per_number
        return bool(bound) and present.get(group, 0) >= bound

    def room_by_called(self, present: Counter[str]) -> dict[str, int]:
        """How many more calls each called number may have; one without a bound is not named."""
        return {number: max(0, bound - present[number]) for number, bound in self.per_called.items()}


def group_of(caller: str) -> str:
    """What counts as one caller: the number, or `withheld`."""
    return WITHHELD if caller.strip().lower() in NO_NUMBERS else caller.strip()


def part_of(whole: int, percent: int) -> int:
    """A percentage of the house; in a small house a few calls all the same. 0: no bound."""
    return max(SMALL, math.ceil(whole * percent / 100)) if percent else 0
