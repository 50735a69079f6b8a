"""The ledger: who has used how much, what it has cost, and whether that is enough. Pure.

Everything is counted three times: for the caller's number, for the called number (each is a tenant) and for
all calls together. `now` is seconds since 1970.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from app.calls.budget import Account, Budget, Expenses, Period, Reached, Renewed, shown
from app.calls.shares import WITHHELD, group_of
from app.calls.usage import SPANS, Span, Steps, Usage, Used

Limits = Mapping[tuple[str, str], float]
"""The most calls, minutes or characters in an hour or a day, such as `{("calls", "hour"): 10}`."""

ALL = "all"
LONGEST_NAME = 40  # characters; a number has 16, and no address of a stranger is kept whole


@dataclass(frozen=True, slots=True)
class Party:
    """Whose use it is."""

    number: str = ""
    called: str = ""

    @property
    def group(self) -> str:
        """What counts as one caller: a number, or everybody who shows none."""
        return group_of(self.number)[:LONGEST_NAME] or WITHHELD

    @property
    def tenant(self) -> str:
        """The key of the called number."""
        return f"to:{self.called[:LONGEST_NAME]}"

    @property
    def caller(self) -> str:
        """The key of the calling number."""
        return f"from:{self.group}"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the operator allows."""

    per_number: Limits = field(default_factory=dict)
    withheld: Limits = field(default_factory=dict)
    """Of all callers together who show no number."""
    per_called: Limits = field(default_factory=dict)
    """Of each called number: a tenant."""
    overall: Limits = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)


class Elsewhere(Protocol):
    """What other replicas have used, as far as it is known here."""

    def used(self, span: Span, key: str, now: float) -> Used:
        """By this key."""

    def spent(self, name: str) -> int:
        """In the period of this name."""


class Nowhere:
    """There are no others."""

    def used(self, span: Span, key: str, now: float) -> Used:
        return Used()

    def spent(self, name: str) -> int:
        return 0


class Kept(msgspec.Struct):
    """What must survive a restart."""

    owner: str = ""
    """Whose counts these are, for others that are told of them."""

    hour: Steps = msgspec.field(default_factory=dict)
    day: Steps = msgspec.field(default_factory=dict)
    accounts: dict[Period, Account] = msgspec.field(default_factory=dict)


class Ledger:
    """Counts and compares; decides nothing and forgets what is older than a day."""

    def __init__(
        self, allowance: Allowance, kept: Kept | None = None, elsewhere: Elsewhere | None = None
    ) -> None:
        self.allowance = allowance
        kept = kept or Kept()
        self._elsewhere = elsewhere or Nowhere()
        self.owner = kept.owner or secrets.token_hex(8)
        self.usage: dict[Span, Usage] = {"hour": Usage("hour", kept.hour), "day": Usage("day", kept.day)}
        """Of this process alone."""
        self._expenses = Expenses(allowance.budget, kept.accounts, elsewhere=self._elsewhere.spent)

    def note(self, party: Party | None, used: Used, now: float, *, cost: int = 0) -> None:
        """Something was used, in nobody's name where there is no party; `cost` in millionths."""
        for usage in self.usage.values():
            if party is None:
                usage.note((ALL,), used, now)
            else:
                usage.note((ALL, party.tenant), used, now, stranger=party.caller)
        self._expenses.note(cost, now)

    def over(self, party: Party, now: float) -> str:
        """Which limit of this caller or of the called number is reached; empty: none."""
        own = self.allowance.withheld if party.group == WITHHELD else self.allowance.per_number
        return (
            self._reached(own, party.caller, now, "one number")
            or self._reached(self.allowance.per_called, party.tenant, now, "one called number")
            or self.closed(now)
        )

    def closed(self, now: float) -> str:
        """Why nobody at all can be taken; empty: somebody can."""
        return self.exhausted(now) or self._reached(self.allowance.overall, ALL, now, "all calls")

    def exhausted(self, now: float) -> str:
        """Which budget is spent; empty: none."""
        return self._expenses.exhausted(now)

    def news(self, now: float) -> list[Reached | Renewed]:
        """What is to be told of the budget; each once."""
        return self._expenses.news(now)

    def forget(self, now: float) -> bool:
        """Drop what counts no more: callers' numbers are gone after a day. True when there was something."""
        return any([usage.forget(now) for usage in self.usage.values()])

    def kept(self) -> Kept:
        """All there is, to be written before it changes."""
        return Kept(self.owner, self.usage["hour"].steps, self.usage["day"].steps, self._expenses.accounts)

    @property
    def accounts(self) -> Mapping[Period, Account]:
        """What this process alone has spent."""
        return self._expenses.accounts

    def spent(self, period: Period, now: float) -> int:
        return self._expenses.spent(period, now)

    def status(self, now: float) -> dict[str, object]:
        """For the operator: sums and money, no numbers."""
        sums: dict[str, object] = {}
        for span in SPANS:
            used = self._used(span, ALL, now)
            minutes = round(used.ms / 60_000, 1)
            sums[span] = {"calls": used.calls, "minutes": minutes, "characters": used.characters}
        budget = self.allowance.budget
        money = {
            period: {"spent": shown(self.spent(period, now)), "budget": shown(budget.of(period))}
            for period in self._expenses.accounts
        }
        return {"used": sums, "currency": budget.currency, "money": money}

    def _reached(self, limits: Limits, key: str, now: float, whose: str) -> str:
        for span in SPANS:
            mine = {amount: most for (amount, within), most in limits.items() if within == span}
            used = self._used(span, key, now) if mine else Used()
            amounts = {"calls": used.calls, "minutes": used.ms / 60_000, "characters": used.characters}
            for amount, most in mine.items():
                if amounts[amount] >= most:
                    return f"{whose}: {most:g} {amount} within {'an hour' if span == 'hour' else 'a day'}"
        return ""

    def _used(self, span: Span, key: str, now: float) -> Used:
        """Here and elsewhere."""
        total = self.usage[span].sum(key, now)
        total.add(self._elsewhere.used(span, key, now))
        return total
