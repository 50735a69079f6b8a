"""What a call and a vendor's words cost, and how much of the day's and the month's budget is left. Pure.

Amounts are whole millionths of the operator's currency, so that no sum loses a part. Days and months are
those of the calendar, in UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import msgspec

Period = Literal["day", "month"]
PERIODS: tuple[Period, ...] = ("day", "month")
LEVELS = (50, 80, 100)  # percent; each is told once a period
MILLION = 1_000_000
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Prices:
    """Millionths of the currency; what has no price costs nothing."""

    minute: int = 0
    thousand_characters: Mapping[str, int] = field(default_factory=dict)
    """By voice."""

    def minutes(self, before_ms: int, after_ms: int) -> int:
        """Of a call that was so long and is longer now: every minute that began is paid as a whole."""
        return self.minute * (-(-after_ms // MINUTE_MS) - -(-before_ms // MINUTE_MS))

    def characters(self, voice: str, count: int) -> int:
        return -(-self.thousand_characters.get(voice, 0) * count // 1000)


@dataclass(frozen=True, slots=True)
class Budget:
    """Millionths of the currency in each period; 0: no bound."""

    currency: str = "USD"
    day: int = 0
    month: int = 0

    def of(self, period: Period) -> int:
        return self.day if period == "day" else self.month


@dataclass(frozen=True, slots=True)
class Reached:
    """So many percent of a period's budget are spent, for the first time in it."""

    period: Period
    name: str
    """As of `Account`."""
    percent: int
    spent: int
    budget: int


@dataclass(frozen=True, slots=True)
class Renewed:
    """A new period has begun; in the last one these levels were reached."""

    period: Period
    levels: tuple[int, ...]


class Account(msgspec.Struct):
    """What was spent in one period."""

    name: str = ""
    """`2026-11-21` or `2026-11`."""
    spent: int = 0
    told: list[int] = msgspec.field(default_factory=list)
    """Levels that were told."""


class Expenses:
    """The account of each period, and what there is to tell of it.

    Args:
        elsewhere: what others have spent in the period of this name.
    """

    def __init__(
        self,
        budget: Budget,
        accounts: dict[Period, Account] | None = None,
        *,
        elsewhere: Callable[[str], int] = lambda _: 0,
    ) -> None:
        self.budget = budget
        self._elsewhere = elsewhere
        self.accounts: dict[Period, Account] = {period: Account() for period in PERIODS} | (accounts or {})
        self._renewed: list[Renewed] = []

    def note(self, cost: int, now: float) -> None:
        self._turn(now)
        for account in self.accounts.values():
            account.spent += cost

    def spent(self, period: Period, now: float) -> int:
        """In the period that is now, by everybody."""
        account, name = self.accounts[period], period_name(period, now)
        return (account.spent if account.name == name else 0) + self._elsewhere(name)

    def exhausted(self, now: float) -> str:
        """Which budget is used up, in words that tell no amount; empty while there is some of each."""
        for period in PERIODS:
            budget = self.budget.of(period)
            if budget and self.spent(period, now) >= budget:
                return f"the budget of the {period} is spent"
        return ""

    def news(self, now: float) -> list[Reached | Renewed]:
        """What is to be told by now; each is returned once."""
        self._turn(now)
        news: list[Reached | Renewed] = [*self._renewed]
        self._renewed.clear()
        for period, account in self.accounts.items():
            budget, spent = self.budget.of(period), self.spent(period, now)
            for level in LEVELS:
                if budget and level not in account.told and 100 * spent >= level * budget:
                    account.told.append(level)
                    news.append(Reached(period, account.name, level, spent, budget))
        return news

    def _turn(self, now: float) -> None:
        """Begin the periods that are new."""
        for period, account in list(self.accounts.items()):
            name = period_name(period, now)
            if account.name == name:
                continue
            if account.told:
                self._renewed.append(Renewed(period, tuple(account.told)))
            self.accounts[period] = Account(name)


def shown(amount: int) -> str:
    """Millionths as people write them."""
    return f"{amount / MILLION:.2f}"


def period_name(period: Period, now: float) -> str:
    """`2026-11-21` or `2026-11`: names of a period sort by time."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d" if period == "day" else "%Y-%m")
