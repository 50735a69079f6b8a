"""What other replicas have used: the rows by which they tell of it, and the sums of those. Pure.

A row is what one replica alone has used in one step or period, so that it may be told any number of times:

    hour:5966666:OWNER:KEY     calls, milliseconds, characters
    day:497222:OWNER:KEY       the same
    money:2026-11-21:OWNER:    millionths of the currency; a month is `2026-11`
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import zip_longest
from typing import Self

import msgspec

from app.calls.budget import PERIODS, period_name
from app.calls.spending import Ledger
from app.calls.usage import SPANS, Span, Used, counts, oldest_of

MONEY = "money"
DAY_S = 86_400
Step = tuple[str, str]
"""`hour`, `day` or `money`, and the step's number or the period's name."""
Amounts = tuple[int, ...]
Change = tuple[Span, int, str]
"""Span, step and key."""
SIZES = {MONEY: 1} | dict.fromkeys(SPANS, 3)


@dataclass(frozen=True, slots=True)
class Row:
    """One replica's sum of one key in one step."""

    step: Step
    owner: str
    key: str
    amounts: Amounts

    @property
    def name(self) -> str:
        return ":".join((*self.step, self.owner, self.key))

    @property
    def value(self) -> str:
        return " ".join(map(str, self.amounts))


def row_of(name: str, value: str) -> Row | None:
    """What was told; None for what no replica would say."""
    kind, step, owner, key = (*name.split(":", 3), "", "", "")[:4]
    try:
        amounts = tuple(map(int, value.split()))
        if kind in SPANS:
            int(step)
    except ValueError:
        return None
    return Row((kind, step), owner, key, amounts) if len(amounts) == SIZES.get(kind) else None


def changes_of(ledger: Ledger, most: int) -> list[Change]:
    """Take out, for telling, what has been used since it was told last: at most so many."""
    taken: list[Change] = []
    for span, usage in ledger.usage.items():
        while usage.changed and len(taken) < most:
            taken.append((span, *usage.changed.pop()))
    return taken


@dataclass(frozen=True, slots=True)
class Oldest:
    """What still counts of each kind; of money, by the clock of a replica that is a day behind."""

    hour: int
    day: int
    date: str
    month: str

    @classmethod
    def at(cls, now: float) -> Self:
        date, month = (period_name(period, now - DAY_S) for period in PERIODS)
        return cls(oldest_of("hour", now), oldest_of("day", now), date, month)

    def is_after(self, step: Step) -> bool:
        """Whether the step counts no more."""
        kind, name = step
        if kind == MONEY:
            return name < (self.date if len(name) == len(self.date) else self.month)
        return int(name) < (self.hour if kind == "hour" else self.day)


class Sums:
    """Rows of others, added up."""

    def __init__(self) -> None:
        self._rows: defaultdict[Step, dict[tuple[str, str], Amounts]] = defaultdict(dict)  # by owner and key
        self._sums: defaultdict[Step, dict[str, Amounts]] = defaultdict(dict)  # by key

    def take(self, row: Row) -> None:
        """In place of what this owner has told before."""
        rows, sums = self._rows[row.step], self._sums[row.step]
        before = rows.get((row.owner, row.key), ())
        rows[row.owner, row.key] = row.amounts
        together = zip_longest(sums.get(row.key, ()), before, row.amounts, fillvalue=0)
        sums[row.key] = tuple(known - old + new for known, old, new in together)

    def clear(self) -> None:
        self._rows.clear()
        self._sums.clear()

    def used(self, span: Span, key: str, now: float) -> Used:
        """By this key in the window that ends now."""
        total = Used()
        for (kind, index), sums in self._sums.items():
            if kind == span and key in sums and counts(span, int(index), now):
                total.add(Used(*sums[key]))
        return total

    def spent(self, name: str) -> int:
        """In the period of this name, in millionths."""
        return sum(self._sums.get((MONEY, name), {}).get("", ()))

    def forget(self, now: float) -> None:
        """Drop what is too old to count."""
        oldest = Oldest.at(now)
        for step in [step for step in self._rows if oldest.is_after(step)]:
            del self._rows[step], self._sums[step]


def amounts_of(used: Used) -> Amounts:
    return msgspec.structs.astuple(used)
