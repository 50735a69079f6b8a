"""Money: sums to the last part, levels told once, periods of the calendar."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.budget import MINUTE_MS, Account, Budget, Expenses, Period, Prices, Reached, Renewed, shown


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOON = at("2026-11-21T12:00:00")


@given(st.lists(st.integers(0, 400_000), max_size=20))
def test_a_call_that_is_charged_bit_by_bit_costs_every_minute_that_began_once(bits_ms: list[int]) -> None:
    prices, lasted_ms, cost = Prices(minute=7), 0, 0
    for bit_ms in bits_ms:
        cost += prices.minutes(lasted_ms, lasted_ms + bit_ms)
        lasted_ms += bit_ms

    assert cost == 7 * -(-lasted_ms // MINUTE_MS)


def test_characters_cost_what_their_voice_does_and_no_part_is_lost() -> None:
    prices = Prices(thousand_characters={"elevenlabs": 100_001})

    assert prices.characters("elevenlabs", 1000) == 100_001
    assert prices.characters("elevenlabs", 1) == 101
    assert prices.characters("other", 1000) == 0


@given(st.lists(st.integers(0, 40), max_size=30))
def test_threat_13_each_level_is_told_once_when_it_is_reached(costs: list[int]) -> None:
    expenses, told, spent = Expenses(Budget(day=100)), [], 0
    for cost in costs:
        expenses.note(cost, NOON)
        spent += cost
        told += [news.percent for news in expenses.news(NOON) if isinstance(news, Reached)]
        assert told == [level for level in (50, 80, 100) if spent >= level]
        assert bool(expenses.exhausted(NOON)) == (spent >= 100)


def test_a_new_day_and_a_new_month_begin_at_midnight_utc() -> None:
    expenses = Expenses(Budget(day=10, month=15))
    expenses.note(10, at("2026-11-30T23:59:59"))

    assert expenses.exhausted(at("2026-11-30T23:59:59")) == "the budget of the day is spent"
    assert expenses.exhausted(at("2026-12-01T00:00:00")) == ""
    assert expenses.spent("month", at("2026-12-01T00:00:00")) == 0


def test_the_month_goes_on_when_the_day_is_new() -> None:
    expenses = Expenses(Budget(day=10, month=15))
    expenses.note(9, at("2026-11-20T12:00:00"))
    expenses.note(6, NOON)

    assert expenses.spent("day", NOON) == 6
    assert expenses.exhausted(NOON) == "the budget of the month is spent"


def test_a_renewal_is_told_with_the_levels_that_were_reached_also_when_a_cost_found_it_first() -> None:
    expenses = Expenses(Budget(day=10))
    expenses.note(8, NOON)
    expenses.news(NOON)
    tomorrow = at("2026-11-22T00:00:01")
    expenses.note(1, tomorrow)

    assert expenses.news(tomorrow) == [Renewed("day", (50, 80))]
    assert expenses.news(tomorrow) == []


def test_what_was_told_is_not_told_again_after_a_restart() -> None:
    expenses = Expenses(Budget(day=10, month=1000))
    expenses.note(10, NOON)
    expenses.news(NOON)
    kept = msgspec.json.decode(msgspec.json.encode(expenses.accounts), type=dict[Period, Account])

    again = Expenses(Budget(day=10, month=1000), kept)

    assert again.news(NOON) == []
    assert again.exhausted(NOON)


def test_without_a_budget_there_is_no_end_and_no_news() -> None:
    expenses = Expenses(Budget())
    expenses.note(10**15, NOON)

    assert expenses.exhausted(NOON) == "" and expenses.news(NOON) == []


@pytest.mark.parametrize(("amount", "text"), [(0, "0.00"), (1_500_000, "1.50"), (8_500, "0.01")])
def test_amounts_are_shown_as_people_write_them(amount: int, text: str) -> None:
    assert shown(amount) == text
