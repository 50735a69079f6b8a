"""Faults of types, in our words, and what can be checked behind them."""

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from app.conversation.script_check import Flaw
from app.conversation.script_model import Script
from app.conversation.script_typing import mended, stands_apart, typing_flaws

GREETING = '[greeting]\nsay = "Hi."\nthen = "main"\n'


def refused(toml: str) -> tuple[dict[str, Any], ValidationError]:
    tables = tomllib.loads(toml)
    with pytest.raises(ValidationError) as caught:
        Script.model_validate(tables)
    return tables, caught.value


@pytest.mark.parametrize(
    ("toml", "flaw"),
    [
        ("", Flaw(("greeting",), "is missing")),
        (f"{GREETING}[answer.a]\nsya = 'x'", Flaw(("answer", "a", "sya"), "is not known here")),
        (f"{GREETING}[answer.a]\nsay = 5", Flaw(("answer", "a", "say"), "expected a list")),
        (f"{GREETING}[answer.a]\nsay = [5]", Flaw(("answer", "a", "say", 0), "expected a text in quotes")),
        (
            f"{GREETING}[answer.a]\ninterruptible = 'x'",
            Flaw(("answer", "a", "interruptible"), "expected true or false"),
        ),
        (f"{GREETING}[menu]\na = 5", Flaw(("menu", "a"), "expected a table")),
        (f"{GREETING}[menu.a]\nchoices = []", Flaw(("menu", "a", "choices"), "is empty")),
        (
            f"{GREETING}[[everywhere]]\ndo = 'help'\nkey = '11'",
            Flaw(("everywhere", 0, "key"), "expected one key: 0 to 9, * or #"),
        ),
        (
            f"{GREETING}[[everywhere]]\ndo = 'sing'",
            Flaw(("everywhere", 0, "do"), "expected 'repeat' or 'help'"),
        ),
        (
            f"{GREETING}[message.m]\nlongest_s = 1",
            Flaw(("message", "m", "longest_s"), "expected greater than or equal to 5"),
        ),
    ],
)
def test_faults_are_told_in_plain_words(toml: str, flaw: Flaw) -> None:
    _, error = refused(toml)

    assert flaw in typing_flaws(error)


def test_a_list_of_faulty_elements_is_not_called_empty() -> None:
    _, error = refused(f"{GREETING}[menu.a]\nchoices = [{{ to = 5 }}]")

    assert [flaw.path for flaw in typing_flaws(error)] == [("menu", "a", "choices", 0, "to")]


def test_what_is_not_at_fault_survives_the_mending() -> None:
    tables, error = refused(
        '[greeting]\n[menu.a]\nsay = ["x", 5]\nchoices = [{ to = 5, key = "1" }, { to = "b", key = "22" }]'
    )

    script = mended(tables, error)

    assert script is not None
    assert [(choice.to, choice.key) for choice in script.menu["a"].choices] == [("?", "1"), ("b", "")]
    assert script.menu["a"].say == ()
    assert tables["menu"]["a"]["say"] == ["x", 5]


def test_a_single_value_that_stands_for_a_list_is_mended_too() -> None:
    tables, error = refused(f'{GREETING}[hours.h]\nopen = "a"\nclosed = "b"\nmon = "9-17"')

    script = mended(tables, error)

    assert script is not None
    assert script.hours["h"].mon == ()


def test_some_faults_leave_nothing_to_check() -> None:
    tables, error = refused(f"{GREETING}[[everywhere]]\nto = 5\ndo = 'help'")

    assert mended(tables, error) is None


def test_consequences_of_a_known_fault_are_not_told() -> None:
    known = [Flaw(("menu", "a", "say"), "expected a list"), Flaw(("answer", "b", "sya"), "is not known here")]

    assert not stands_apart(Flaw(("menu", "a"), "'a' has nothing to say"), known)
    assert not stands_apart(Flaw(("menu", "a", "say", 0), "nothing is kept as 'x'"), known)
    assert not stands_apart(Flaw(("answer", "c", "then"), "there is no step '?'"), known)
    assert not stands_apart(Flaw(("answer", "c"), "no way leads to 'c'"), known)
    assert stands_apart(Flaw(("answer", "b"), "'b' has nothing to say"), known)
    assert stands_apart(Flaw(("menu", "c"), "'c' has nothing to say"), known)
