"""How much of the house one number may take."""

from collections import Counter

import pytest

from app.calls.shares import WITHHELD, Shares, group_of, part_of


def test_one_number_may_not_have_more_calls_than_its_bound() -> None:
    shares = Shares(per_number=2)

    assert not shares.is_over("+1555", {"+1555": 1})
    assert shares.is_over("+1555", {"+1555": 2})
    assert not shares.is_over("+1556", {"+1555": 2})


def test_without_a_bound_a_number_may_have_all() -> None:
    assert not Shares().is_over("+1555", {"+1555": 1000})


@pytest.mark.parametrize("number", ["anonymous", "Anonymous", "+266696687", " Restricted ", "unknown"])
def test_callers_who_show_no_number_are_one_group_with_a_bound_of_its_own(number: str) -> None:
    shares = Shares(per_number=1, withheld=3)

    assert group_of(number) == WITHHELD
    assert not shares.is_over(number, {WITHHELD: 2})
    assert shares.is_over(number, {WITHHELD: 3})


def test_called_numbers_with_a_bound_have_so_much_room_left() -> None:
    shares = Shares(per_called={"+1": 3, "+2": 1})

    assert shares.room_by_called(Counter({"+1": 1, "+2": 5, "+3": 9})) == {"+1": 2, "+2": 0}


def test_who_is_not_told_at_all_is_in_no_group() -> None:
    assert not Shares(per_number=1, withheld=1).is_over("", {"": 9})


def test_a_part_of_a_small_house_is_a_few_calls_all_the_same() -> None:
    assert [part_of(whole, 50) for whole in (1, 2, 3, 100)] == [5, 5, 5, 50]
    assert part_of(100, 0) == 0
