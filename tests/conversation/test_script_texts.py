"""Placeholders and what is read out."""

import pytest

from app.conversation.script_model import Choice, Everywhere
from app.conversation.script_texts import daypart, fill, placeholders, read_keys, stray_braces


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello {name}.", "Hello Anna."),
        ("Hello {who|friend}.", "Hello friend."),
        ("Hello {name|friend}.", "Hello Anna."),
        ("Hello {who}.", "Hello."),
        ("Hello {who}, welcome.", "Hello, welcome."),
        ("Two\n   lines", "Two lines"),
        ("{odd brace}", "{odd brace}"),
    ],
)
def test_placeholders_are_filled(text: str, said: str) -> None:
    assert fill(text, {"name": "Anna"}) == said


def test_an_answer_with_braces_is_not_filled_again() -> None:
    assert fill("{a} {b}", {"a": "{b}", "b": "x"}) == "{b} x"


def test_placeholders_are_listed_and_stray_braces_found() -> None:
    assert placeholders("{a} and {b|c}") == ["a", "b"]
    assert not stray_braces("{a} and {b|c}")
    assert stray_braces("{A}") and stray_braces("a }") and stray_braces("{a|{b}}")


def test_keys_are_read_out_with_what_they_mean_and_those_of_the_menu_come_first() -> None:
    choices = [
        Choice.model_validate({"to": "news", "words": "news", "key": "1", "label": "the news"}),
        Choice.model_validate({"to": "tour", "words": "tour dates", "key": "2"}),
        Choice.model_validate({"to": "secret", "words": "secret"}),
    ]
    everywhere = [
        Everywhere.model_validate({"key": "2", "do": "help", "label": "help"}),
        Everywhere.model_validate({"key": "*", "do": "repeat", "label": "once more"}),
        Everywhere.model_validate({"key": "0", "to": "office"}),
    ]

    assert (
        read_keys(choices, everywhere) == "press one for the news, two for tour dates or star for once more"
    )
    assert read_keys([], []) == ""


@pytest.mark.parametrize(
    ("hour", "part"), [(4, "evening"), (5, "morning"), (12, "afternoon"), (17, "afternoon"), (18, "evening")]
)
def test_parts_of_the_day(hour: int, part: str) -> None:
    assert daypart(hour) == part
