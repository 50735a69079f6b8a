"""Rows by which replicas tell of what they have used, and their sums."""

from datetime import UTC, datetime

import pytest

from app.calls.elsewhere import Oldest, Row, Sums, changes_of, row_of
from app.calls.spending import Allowance, Ledger, Party
from app.calls.usage import Used, index_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
HOUR = str(index_of("hour", NOW))


def row(owner: str, calls: int, *, key: str = "k", step: str = HOUR) -> Row:
    return Row(("hour", step), owner, key, (calls, 60_000 * calls, 10 * calls))


def calls(sums: Sums, key: str = "k", now: float = NOW) -> int:
    return sums.used("hour", key, now).calls


def test_a_row_reads_as_it_was_written() -> None:
    for each in (row("one", 3), row("one", -1, key="a:b"), Row(("money", "2026-11"), "one", "", (500_000,))):
        assert row_of(each.name, each.value) == each


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", ""),
        ("epoch", "ab12"),
        ("hour:x:one:k", "1 2 3"),
        ("hour:1:one:k", "1 2"),
        ("hour:1:one:k", "one 2 3"),
        ("money:2026-11:one:", "1 2 3"),
        ("year:1:one:k", "1 2 3"),
    ],
)
def test_what_no_replica_would_say_is_no_row(name: str, value: str) -> None:
    assert row_of(name, value) is None


def test_the_sum_is_of_all_owners_however_often_each_tells() -> None:
    sums = Sums()
    for each in (row("one", 1), row("two", 5), row("one", 2), row("one", 2)):
        sums.take(each)

    assert sums.used("hour", "k", NOW) == Used(7, 420_000, 70)
    assert calls(sums, "another") == 0
    assert sums.used("day", "k", NOW) == Used()


def test_what_was_given_back_elsewhere_counts_no_more() -> None:
    sums = Sums()
    sums.take(row("one", 2))
    sums.take(row("one", 1))

    assert calls(sums) == 1


def test_only_the_window_counts_and_what_is_older_is_dropped() -> None:
    sums = Sums()
    sums.take(row("one", 2))
    later = NOW + 2 * 3600
    assert calls(sums, now=later) == 0

    sums.forget(later)

    assert calls(sums) == 0


def test_money_is_summed_by_period_and_dropped_a_day_after_it() -> None:
    sums = Sums()
    for owner, spent in (("one", 100), ("two", 50)):
        sums.take(Row(("money", "2026-11-21"), owner, "", (spent,)))
        sums.take(Row(("money", "2026-11"), owner, "", (2 * spent,)))
    assert (sums.spent("2026-11-21"), sums.spent("2026-11"), sums.spent("2026-12")) == (150, 300, 0)

    sums.forget(NOW + 86_400)
    assert sums.spent("2026-11-21") == 150  # a replica's clock may be late
    sums.forget(NOW + 2 * 86_400)
    assert (sums.spent("2026-11-21"), sums.spent("2026-11")) == (0, 300)


def test_a_new_month_is_not_older_than_a_day() -> None:
    new_year = datetime(2027, 1, 1, 12, tzinfo=UTC).timestamp()
    assert not Oldest.at(new_year).is_after(("money", "2027-01"))
    assert not Oldest.at(new_year).is_after(("money", "2026-12"))  # by a clock that is behind
    assert Oldest.at(new_year).is_after(("money", "2026-11"))
    assert Oldest.at(new_year).is_after(("money", "2026-12-30"))


def test_a_change_is_told_once_and_anew_when_it_changes_again() -> None:
    ledger = Ledger(Allowance())
    party = Party("+15550100", "+15550199")
    ledger.note(party, Used(calls=1), NOW)
    told = changes_of(ledger, 100)
    assert {(span, key) for span, _, key in told} == {
        (span, key) for span in ("hour", "day") for key in ("all", party.tenant, party.caller)
    }
    assert changes_of(ledger, 100) == []

    ledger.note(None, Used(calls=1), NOW)

    assert {key for _, _, key in changes_of(ledger, 100)} == {"all"}


def test_no_more_is_taken_at_once_than_was_asked_for() -> None:
    ledger = Ledger(Allowance())
    ledger.note(Party("+15550100", "+15550199"), Used(calls=1), NOW)

    assert [len(changes_of(ledger, 4)), len(changes_of(ledger, 4))] == [4, 2]
