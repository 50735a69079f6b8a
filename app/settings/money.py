"""What may be spent: limits, prices and budgets, who may call at all, and the switch that closes all."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from pydantic import field_validator

from app.settings.section import Section, env, split, telephone_numbers

MILLION = 1_000_000
LIMIT = re.compile(r"(calls|minutes|characters)/(hour|day)\s*=\s*([1-9][0-9]{0,8})")
AMOUNT = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?")
PRICE = re.compile(r"([a-z]+)\s*=\s*(\S+)")
CURRENCY = re.compile(r"[A-Z]{3}")


class MoneySettings(Section):
    """Money."""

    title: ClassVar[str] = "Money"

    closed: bool = env(
        "HOTLINE_CLOSED",
        default=False,
        doc="1 turns every new call away. Without a restart: `hotline house close` and `open`, "
        "which tell every replica through REDIS_URL, or without one put the file `closed` into DATA_DIR",
    )
    closed_message: str = env(
        "CLOSED_MESSAGE",
        default="We are closed at the moment. Please call again later. Goodbye.",
        doc="what a caller hears while the house is closed, or the budget is spent",
    )
    limit_message: str = env(
        "LIMIT_MESSAGE",
        default="We cannot take your call at the moment. Please call again later. Goodbye.",
        doc="what a caller hears who has reached a limit",
    )
    allow: tuple[str, ...] = env(
        "ALLOW_NUMBERS",
        default=(),
        doc="who may call, such as `+15550100, +4420*`: nobody else, and no withheld number. Empty: all",
    )
    deny: tuple[str, ...] = env(
        "DENY_NUMBERS", default=(), doc="who may not call, written alike; they hear the busy tone"
    )
    per_number: tuple[str, ...] = env(
        "LIMITS_PER_NUMBER",
        default=(),
        doc="most of each calling number, such as `calls/hour=10, minutes/day=60, characters/day=20000`",
    )
    withheld: tuple[str, ...] = env(
        "LIMITS_WITHHELD", default=(), doc="most of all withheld numbers together, written alike"
    )
    per_called: tuple[str, ...] = env(
        "LIMITS_PER_CALLED_NUMBER", default=(), doc="most of each of your own numbers, written alike"
    )
    overall: tuple[str, ...] = env("LIMITS_OVERALL", default=(), doc="most of all together, written alike")
    currency: str = env("CURRENCY", default="USD", doc="in which prices and budgets are given")
    price_minute: str = env(
        "PRICE_PER_MINUTE", default="0", doc="what a minute of a call costs; each one that began counts"
    )
    price_characters: tuple[str, ...] = env(
        "PRICE_PER_1000_CHARACTERS", default=(), doc="by voice, such as `elevenlabs=0.10, cartesia=0.04`"
    )
    budget_day: str = env(
        "BUDGET_PER_DAY", default="0", doc="from midnight UTC; spent, new calls are turned away. 0: no bound"
    )
    budget_month: str = env(
        "BUDGET_PER_MONTH", default="0", doc="from the first of the month, UTC, alike. 0: no bound"
    )

    _split = field_validator(
        "allow", "deny", "per_number", "withheld", "per_called", "overall", "price_characters", mode="before"
    )(split)

    _numbers = field_validator("allow", "deny")(telephone_numbers)

    @field_validator("per_number", "withheld", "per_called", "overall")
    @classmethod
    def _limits(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        names = []
        for one in given:
            met = LIMIT.fullmatch(one)
            if met is None:
                raise ValueError(
                    f"{one!r}, expected calls, minutes or characters, by hour or day: calls/hour=10"
                )
            names.append(met.group(1, 2))
        if len(names) != len(set(names)):
            raise ValueError("a limit is given twice")
        return given

    @field_validator("currency")
    @classmethod
    def _named(cls, given: str) -> str:
        if not CURRENCY.fullmatch(given):
            raise ValueError("expected three letters, such as USD")
        return given

    @field_validator("price_minute", "budget_day", "budget_month")
    @classmethod
    def _amount(cls, given: str) -> str:
        micros(given)
        return given

    @field_validator("price_characters")
    @classmethod
    def _prices(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for one in given:
            met = PRICE.fullmatch(one)
            if met is None:
                raise ValueError(f"{one!r}, expected voice=price")
            micros(met[2])
        return given

    @property
    def is_bounded(self) -> bool:
        """Whether anything at all bounds what is spent."""
        limits = (self.per_number, self.withheld, self.per_called, self.overall)
        return any(limits) or bool(micros(self.budget_day) or micros(self.budget_month))

    @property
    def minute(self) -> int:
        """Millionths of the currency."""
        return micros(self.price_minute)

    @property
    def budgets(self) -> tuple[int, int]:
        """Of the day and of the month, in millionths of the currency."""
        return micros(self.budget_day), micros(self.budget_month)

    @property
    def characters(self) -> Mapping[str, int]:
        """What a thousand cost, by voice, in millionths of the currency."""
        return {met[1]: micros(met[2]) for one in self.price_characters if (met := PRICE.fullmatch(one))}

    def faults(self) -> list[str]:
        """A budget that nothing is paid from would never stop anything."""
        if any(self.budgets) and not (self.minute or any(self.characters.values())):
            name = "BUDGET_PER_DAY" if self.budgets[0] else "BUDGET_PER_MONTH"
            return [f"{name}: nothing has a price (set PRICE_PER_MINUTE or PRICE_PER_1000_CHARACTERS)"]
        return []


def limits(given: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """The most by what is counted and within what: `{("calls", "hour"): 10}`."""
    return {(met[1], met[2]): float(met[3]) for one in given if (met := LIMIT.fullmatch(one))}


def micros(given: str) -> int:
    """A price in millionths of the currency.

    Raises:
        ValueError: it is none.
    """
    if not AMOUNT.fullmatch(given):
        raise ValueError(f"{given!r}, expected an amount such as 0.0085")
    return int(Decimal(given) * MILLION)
