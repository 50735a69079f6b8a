"""What may be spent, as the operator writes it."""

import pytest

from app.errors import ConfigError
from app.settings import Settings
from app.settings.money import MoneySettings, limits, micros


def money(**given: str) -> MoneySettings:
    return MoneySettings.read(given)


def test_nothing_is_bounded_and_everybody_is_welcome_unless_the_operator_says_so() -> None:
    chosen = money()

    assert not chosen.is_bounded and not chosen.closed
    assert chosen.allow == chosen.deny == ()
    assert chosen.budgets == (0, 0) and chosen.minute == 0


def test_limits_are_read_by_what_is_counted_and_within_what() -> None:
    chosen = money(LIMITS_PER_NUMBER="calls/hour=10, minutes/day = 60,characters/day=20000")

    assert limits(chosen.per_number) == {
        ("calls", "hour"): 10,
        ("minutes", "day"): 60,
        ("characters", "day"): 20_000,
    }
    assert chosen.is_bounded


def test_money_is_read_to_the_millionth() -> None:
    chosen = money(
        PRICE_PER_MINUTE="0.0085",
        PRICE_PER_1000_CHARACTERS="elevenlabs=0.10, cartesia = 0.04",
        BUDGET_PER_DAY="20",
        CURRENCY="EUR",
    )

    assert chosen.minute == 8_500
    assert chosen.characters == {"elevenlabs": 100_000, "cartesia": 40_000}
    assert chosen.budgets == (20_000_000, 0)
    assert chosen.is_bounded


NUMBERS = [
    "15550100",
    "0015550100",
    "+1 555 0100",
    "+",
    "*",
    "+*",
    "anonymous",
    "+15*0100",
    "+0155501",
    "+1234567890123456",
]


@pytest.mark.parametrize("name", ["ALLOW_NUMBERS", "DENY_NUMBERS"])
@pytest.mark.parametrize("number", NUMBERS)
def test_threat_12_an_entry_that_is_no_number_stops_the_start_and_is_named(name: str, number: str) -> None:
    with pytest.raises(ConfigError) as raised:
        money(**{name: f"+15550100, {number}"})

    assert raised.value.faults[0].startswith(f"{name}: ") and repr(number) in raised.value.faults[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIMITS_PER_NUMBER", "calls=10"),
        ("LIMITS_PER_NUMBER", "calls/week=10"),
        ("LIMITS_PER_NUMBER", "calls/hour=0"),
        ("LIMITS_PER_NUMBER", "calls/hour=-1"),
        ("LIMITS_OVERALL", "calls/hour=10, calls/hour=20"),
        ("LIMITS_WITHHELD", "words/day=10"),
        ("LIMITS_PER_CALLED_NUMBER", "calls/hour=many"),
        ("PRICE_PER_MINUTE", "-1"),
        ("PRICE_PER_MINUTE", "nan"),
        ("PRICE_PER_MINUTE", "1,5"),
        ("PRICE_PER_1000_CHARACTERS", "0.10"),
        ("PRICE_PER_1000_CHARACTERS", "elevenlabs=free"),
        ("BUDGET_PER_DAY", "inf"),
        ("BUDGET_PER_MONTH", "20 EUR"),
        ("CURRENCY", "euro"),
        ("HOTLINE_CLOSED", "perhaps"),
    ],
)
def test_what_cannot_be_read_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: "):
        money(**{name: value})


def test_a_budget_from_which_nothing_is_paid_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="BUDGET_PER_MONTH: nothing has a price"):
        Settings.load({"BUDGET_PER_MONTH": "100"})

    assert Settings.load({"BUDGET_PER_MONTH": "100", "PRICE_PER_MINUTE": "0.01"}).money.budgets[1]


def test_an_amount_keeps_all_its_digits() -> None:
    assert micros("0.000001") == 1
    assert micros("999999.999999") == 999_999_999_999
