"""The ledger: limits of a number, of a tenant, and of all."""

import msgspec
import pytest

from app.calls.budget import Budget, Reached
from app.calls.spending import Allowance, Kept, Ledger, Limits, Party
from app.calls.usage import Used

NOW = 1_790_000_000.0
ANNA, BERT = Party("+15550100", "+15550199"), Party("+15550101", "+15550199")
TEN_A_DAY: Limits = {("calls", "day"): 10}


def ledger(**allowance: object) -> Ledger:
    return Ledger(Allowance(**allowance))  # type: ignore[arg-type]


AMOUNTS: list[tuple[str, Used]] = [
    ("calls", Used(calls=2)),
    ("minutes", Used(ms=120_000)),
    ("characters", Used(characters=2)),
]


@pytest.mark.parametrize("span", ["hour", "day"])
@pytest.mark.parametrize(("amount", "used"), AMOUNTS)
def test_threat_13_a_number_that_has_used_its_share_is_over_and_another_is_not(
    amount: str, used: Used, span: str
) -> None:
    book = ledger(per_number={(amount, span): 2})
    book.note(ANNA, msgspec.structs.replace(used, **{_field(amount): getattr(used, _field(amount)) - 1}), NOW)
    assert book.over(ANNA, NOW) == ""

    book.note(ANNA, Used(**{_field(amount): 1}), NOW)

    assert book.over(ANNA, NOW) == f"one number: 2 {amount} within {'an hour' if span == 'hour' else 'a day'}"
    assert book.over(BERT, NOW) == ""
    assert book.over(ANNA, NOW + (4000 if span == "hour" else 91_000)) == ""


def _field(amount: str) -> str:
    return {"minutes": "ms"}.get(amount, amount)


def test_an_hour_is_not_a_day() -> None:
    book = ledger(per_number={("calls", "hour"): 2, ("calls", "day"): 3})
    for at in (NOW, NOW + 7200, NOW + 14_400):
        assert book.over(ANNA, at) == ""
        book.note(ANNA, Used(calls=1), at)

    assert "within a day" in book.over(ANNA, NOW + 21_600)


def test_threat_27_a_called_number_has_a_bound_of_its_own_which_others_do_not_share() -> None:
    book = ledger(per_called={("calls", "hour"): 2})
    for party in (ANNA, BERT):
        book.note(party, Used(calls=1), NOW)

    assert book.over(Party("+15550102", "+15550199"), NOW) == "one called number: 2 calls within an hour"
    assert book.over(Party("+15550102", "+15550198"), NOW) == ""
    assert book.closed(NOW) == ""


def test_all_calls_together_have_a_bound_which_programs_use_up_as_well() -> None:
    book = ledger(overall={("characters", "day"): 100})
    book.note(ANNA, Used(characters=50), NOW)
    book.note(None, Used(characters=50), NOW)

    assert book.over(BERT, NOW) == book.closed(NOW) == "all calls: 100 characters within a day"


@pytest.mark.parametrize("number", ["", "anonymous", "Restricted", "+266696687", " "])
def test_threat_13_withheld_numbers_are_one_caller_with_a_bound_of_their_own(number: str) -> None:
    book = ledger(per_number={("calls", "hour"): 1}, withheld={("calls", "hour"): 2})
    book.note(Party("unknown", "+2"), Used(calls=1), NOW)
    assert book.over(Party(number, "+2"), NOW) == ""

    book.note(Party("Anonymous", "+2"), Used(calls=1), NOW)

    assert book.over(Party(number, "+2"), NOW)
    assert book.over(ANNA, NOW) == ""


def test_a_budget_that_is_spent_closes_the_house_and_is_told() -> None:
    book = ledger(budget=Budget("EUR", day=1_000_000))
    book.note(ANNA, Used(ms=1), NOW, cost=600_000)
    assert book.over(BERT, NOW) == "" and [type(news) for news in book.news(NOW)] == [Reached]

    book.note(None, Used(), NOW, cost=400_000)

    assert book.over(BERT, NOW) == book.exhausted(NOW) == "the budget of the day is spent"
    assert book.status(NOW)["money"] == {
        "day": {"spent": "1.00", "budget": "1.00"},
        "month": {"spent": "1.00", "budget": "0.00"},
    }


def test_nothing_is_over_where_nothing_is_bounded() -> None:
    book = ledger()
    book.note(ANNA, Used(10**6, 10**12, 10**9), NOW, cost=10**12)

    assert book.over(ANNA, NOW) == book.closed(NOW) == ""


def test_what_was_counted_counts_after_a_restart() -> None:
    book = ledger(per_number=TEN_A_DAY)
    book.note(ANNA, Used(calls=10), NOW)
    kept = msgspec.json.decode(msgspec.json.encode(book.kept()), type=Kept)

    assert Ledger(Allowance(per_number=TEN_A_DAY), kept).over(ANNA, NOW + 80_000)


def test_threat_9_a_callers_number_is_gone_after_a_day() -> None:
    book = ledger(per_number=TEN_A_DAY)
    book.note(ANNA, Used(calls=1), NOW)

    assert book.forget(NOW + 25 * 3600 + 1)

    assert b"5550100" not in msgspec.json.encode(book.kept())


def test_no_strangers_address_is_kept_whole() -> None:
    party = Party("sip:" + "x" * 10_000, "+2" * 10_000)

    assert len(party.caller) + len(party.tenant) < 100
