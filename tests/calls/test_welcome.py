"""Lists of numbers: exact or by their beginning, and nothing that only looks like one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.shares import NO_NUMBERS
from app.calls.welcome import Numbers, Welcome

LISTED = Numbers.of(("+15550100", "+4420*"))


@pytest.mark.parametrize("number", ["+15550100", "+442071838750"])
def test_a_listed_number_and_one_with_a_listed_beginning_are_on_the_list(number: str) -> None:
    assert number in LISTED


UNLIKE = [
    "",
    " ",
    "15550100",  # no plus
    "0015550100",
    "+15550100 ",
    " +15550100",
    "+1 5550100",
    "+1-555-0100",
    "+155501000",  # longer
    "+1555010",
    "+915550100",  # the same end
    "5550100",
    "+44*",
    "+4420*",
    "+4420",  # shorter than any number
    "+44208888888888888",
    "sip:+15550100@example.com",
    "client:+15550100",
    "+15550100\n",
    "+" + "".join(chr(ord("\N{ARABIC-INDIC DIGIT ZERO}") + int(digit)) for digit in "15550100"),
]


@pytest.mark.parametrize("number", UNLIKE)
def test_threat_12_what_is_not_the_number_itself_is_on_no_list(number: str) -> None:
    assert number not in LISTED


@pytest.mark.parametrize("number", sorted(NO_NUMBERS))
def test_threat_12_a_withheld_number_is_on_no_list_however_wide(number: str) -> None:
    everybody = Numbers.of(tuple(f"+{digit}*" for digit in range(1, 10)))

    assert number not in everybody
    assert Welcome(denied=everybody).admits(number)
    assert not Welcome(allowed=everybody).admits(number)


@given(st.text("+0123456789* ()-x", max_size=18))
def test_only_e164_that_is_listed_is_on_the_list(number: str) -> None:
    expected = number == "+15550100" or bool(re.fullmatch(r"\+4420\d{3,11}", number))

    assert (number in LISTED) == expected


def test_without_lists_everybody_is_welcome() -> None:
    assert all(Welcome().admits(number) for number in ("+15550100", "anonymous", ""))


def test_whoever_is_denied_is_not_welcome_though_they_are_allowed() -> None:
    welcome = Welcome(Numbers.of(("+1555*",)), Numbers.of(("+15550100",)))

    assert welcome.admits("+15550101")
    assert not welcome.admits("+15550100")
    assert not welcome.admits("+4420718387500")


def test_an_empty_list_holds_nobody() -> None:
    assert not Numbers() and "+15550100" not in Numbers()
