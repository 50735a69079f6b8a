"""Keys that belong together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversation.keys import Gather


def test_without_more_each_key_is_an_answer() -> None:
    gather = Gather()

    assert [gather.press(digit) for digit in "1*#"] == ["1", "*", "#"]


def test_the_terminator_ends_a_short_answer_and_is_no_part_of_it() -> None:
    gather = Gather(most=5, terminator="#")

    assert [gather.press(digit) for digit in "12#"] == [None, None, "12"]
    assert not gather.begun


def test_the_longest_answer_needs_no_terminator() -> None:
    gather = Gather(most=3, terminator="#")

    assert [gather.press(digit) for digit in "123"] == [None, None, "123"]


def test_only_the_terminator_is_an_empty_answer() -> None:
    assert Gather(most=3, terminator="#").press("#") == ""


def test_time_takes_what_there_is() -> None:
    gather = Gather(most=5, terminator="#")
    gather.press("4")
    gather.press("2")

    assert gather.begun
    assert gather.take() == "42"
    assert gather.take() == ""


@pytest.mark.parametrize("no_key", ["", "x", "12", "é"])
def test_what_is_no_key_is_not_gathered(no_key: str) -> None:
    gather = Gather(most=2)

    assert gather.press(no_key) is None
    assert not gather.begun


@given(st.text("0123456789*#"), st.integers(1, 5))
def test_no_key_is_lost_or_doubled(pressed: str, most: int) -> None:
    gather = Gather(most=most)

    answers = [gather.press(digit) for digit in pressed]

    assert "".join(filter(None, answers)) + gather.take() == pressed
