"""Whose calls the operator takes at all: lists of telephone numbers. Pure.

A number on a list is E.164 (`+15550100`), or the beginning of some (`+1555*`). A caller's is compared as
Twilio gives it: what is not E.164, is empty or stands for a withheld number is on no list.

Source: https://www.twilio.com/docs/glossary/what-e164
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from app.calls.shares import WITHHELD, group_of

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True)
class Numbers:
    """One list."""

    exact: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[str]) -> Self:
        return cls(
            frozenset(entry for entry in entries if not entry.endswith("*")),
            tuple(entry.removesuffix("*") for entry in entries if entry.endswith("*")),
        )

    def __bool__(self) -> bool:
        return bool(self.exact or self.beginnings)

    def __contains__(self, number: str) -> bool:
        if not NUMBER.fullmatch(number) or group_of(number) == WITHHELD:
            return False
        return number in self.exact or number.startswith(self.beginnings)


NO_NUMBERS = Numbers()


@dataclass(frozen=True, slots=True)
class Welcome:
    """Who may call: nobody who is denied and, where some are allowed, nobody else."""

    allowed: Numbers = Numbers()
    denied: Numbers = Numbers()

    def admits(self, number: str) -> bool:
        return number not in self.denied and (not self.allowed or number in self.allowed)
