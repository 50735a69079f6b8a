"""The order of reasons, and that who passes is counted before the next one asks."""

from pathlib import Path

import pytest

from app.calls.closing import Closing
from app.calls.gate import Gate
from app.calls.reception import Caller, No
from app.calls.spending import Party
from app.calls.welcome import Numbers, Welcome

ANNA = Caller("CA1", "+15550100", "+15550199")


class Spent:
    """Spending that is as it is told."""

    def __init__(self, *, exhausted: str = "", over: str = "") -> None:
        self.exhausted = exhausted
        self.closed = exhausted
        self._over = over
        self.asked: list[Party] = []

    def over(self, party: Party) -> str:
        self.asked.append(party)
        return self._over


DENIED = Welcome(denied=Numbers.of(("+1555*",)))


@pytest.mark.parametrize(
    ("welcome", "closed", "spent", "why"),
    [
        (DENIED, True, Spent(exhausted="spent", over="over"), No.NOT_WELCOME),
        (Welcome(), True, Spent(exhausted="spent", over="over"), No.CLOSED),
        (Welcome(), False, Spent(exhausted="spent", over="over"), No.BUDGET),
        (Welcome(), False, Spent(over="over"), No.LIMIT),
    ],
)
def test_the_first_reason_is_the_one_that_is_told_and_nobody_is_counted(
    welcome: Welcome, closed: bool, spent: Spent, why: No
) -> None:
    counted: list[Caller] = []
    no = Gate(Closing(always=closed), welcome, spent, counted.append)(ANNA)

    assert no is not None and no.why is why
    assert counted == []


def test_who_passes_is_counted_at_once() -> None:
    counted: list[Caller] = []
    spent = Spent()

    assert Gate(Closing(), Welcome(), spent, counted.append)(ANNA) is None
    assert counted == [ANNA]
    assert spent.asked == [Party("+15550100", "+15550199")]


def test_why_nobody_is_let_in_is_told_apart_from_why_somebody_is_not(tmp_path: Path) -> None:
    def reason(closing: Closing, spent: Spent) -> str:
        return Gate(closing, Welcome(), spent, lambda _caller: None).reason

    assert reason(Closing(always=True), Spent(exhausted="spent")) == "closed by HOTLINE_CLOSED"
    assert reason(Closing(), Spent(exhausted="spent")) == "spent"
    assert reason(Closing(), Spent(over="over")) == ""
