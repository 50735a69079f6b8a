"""The limit as one replica knows it, with a store that answers and without one."""

import asyncio

import pytest
from structlog.testing import capture_logs

from app.capacity.effective import RECOVERY_S, UNKNOWN
from app.capacity.ledger import NO_NEWS, NOTHING_NEW, News, Standing
from app.capacity.shared_limit import SharedLimit
from app.capacity.store import StoreAway


def said(limit: int, vendor: int = 0) -> Standing:
    return Standing(at_ms=1, in_use=0, waiting=0, limit=limit, vendor=vendor)


def taken(limit: SharedLimit) -> News:
    with limit.telling() as news:
        return news


def test_what_the_vendor_says_counts_here_at_once_and_is_told_once() -> None:
    limit = SharedLimit("v", 10)

    assert limit.vendor_allows(5, 0.0)
    assert not limit.vendor_allows(5, 0.0)
    limit.vendor_refused(0.0, in_use=3)
    limit.vendor_refused(0.1, in_use=2)

    assert limit.current(0.1) == 1
    assert taken(limit) == News("5", 2, 3)
    assert taken(limit) == NOTHING_NEW


def test_a_vendor_that_no_longer_names_a_figure_is_news() -> None:
    limit = SharedLimit("v", None)
    limit.vendor_allows(20, 0.0)
    assert (limit.current(0.0), taken(limit).vendor) == (19, "20")

    assert limit.vendor_allows(None, 0.0)
    assert (limit.current(0.0), taken(limit).vendor, limit.configured) == (UNKNOWN, "", None)


@pytest.mark.parametrize("fault", [StoreAway("gone"), asyncio.CancelledError()])
def test_news_without_an_answer_is_kept_and_later_news_comes_on_top(fault: BaseException) -> None:
    limit = SharedLimit("v", 10)
    limit.vendor_allows(8, 0.0)
    limit.vendor_refused(0.0, in_use=4)
    with pytest.raises(type(fault)), limit.telling():
        limit.vendor_refused(0.0, in_use=6)
        raise fault
    assert taken(limit) == News("8", 2, 6)

    limit.vendor_allows(7, 0.0)
    with pytest.raises(type(fault)), limit.telling():
        limit.vendor_allows(6, 0.0)
        raise fault
    assert taken(limit) == News("6", 0, 0)


def test_the_store_knows_better_except_of_what_it_was_not_told() -> None:
    limit = SharedLimit("v", 10)
    limit.heard(said(3), 0.0)
    assert limit.current(0.0) == 3

    limit.vendor_refused(0.0, in_use=3)
    limit.heard(said(3), 0.0)
    assert limit.current(0.0) == 2
    taken(limit)
    limit.heard(said(9, vendor=10), 0.0)
    assert limit.current(0.0) == 9


def test_while_the_store_is_away_the_limit_recovers_by_itself() -> None:
    limit = SharedLimit("v", None)
    limit.heard(said(2, vendor=6), 0.0)

    assert [limit.current(n * RECOVERY_S) for n in range(5)] == [2, 3, 4, 5, 5]


def test_a_store_that_is_back_hears_the_vendors_word_again_and_no_old_refusals() -> None:
    limit = SharedLimit("v", 10)
    limit.start_over()
    assert taken(limit).vendor == NO_NEWS
    limit.vendor_allows(5, 0.0)
    taken(limit)
    limit.vendor_refused(0.0, in_use=3)

    limit.start_over()

    assert taken(limit) == News("5")


def test_every_change_is_told_with_its_reason() -> None:
    limit = SharedLimit("v", 10)
    with capture_logs() as logs:
        limit.vendor_allows(11, 0.0)
        limit.vendor_allows(5, 0.0)
        limit.vendor_refused(0.0, in_use=4)
        taken(limit)
        limit.heard(said(3, vendor=5), 0.0)
        limit.heard(said(4, vendor=5), 0.0)

    assert [(each["before"], each["limit"], each["why"]) for each in logs] == [
        (10, 4, "the vendor's word"),
        (4, 3, "a refusal"),
        (3, 4, "the store's word"),
    ]
    assert {(each["event"], each["provider"]) for each in logs} == {("capacity.limit_changed", "v")}
