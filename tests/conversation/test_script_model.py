"""What a script may contain."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.conversation.script_model import Hours, Script, zone_named

HOURS = Hours.model_validate(
    {
        "open": "a",
        "closed": "b",
        "mon": ["09:00-12:00", "13:00-17:30"],
        "fri": "22:00-02:00",
        "sun": "00:00-24:00",
        "closed_on": ["12-25", "2026-03-09"],
    }
)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-02 09:00", True),  # a Monday
        ("2026-03-02 11:59", True),
        ("2026-03-02 12:00", False),
        ("2026-03-02 17:29", True),
        ("2026-03-02 08:59", False),
        ("2026-03-03 10:00", False),
        ("2026-03-06 21:59", False),
        ("2026-03-06 23:00", True),
        ("2026-03-07 01:59", True),  # of Friday night
        ("2026-03-07 02:00", False),
        ("2026-03-06 01:00", False),
        ("2026-03-08 00:00", True),
        ("2026-03-08 23:59", True),
        ("2026-03-09 10:00", False),
        ("2028-12-25 10:00", False),
        ("2026-12-26 01:00", False),  # the night of a Friday that was closed
    ],
)
def test_opening_hours(moment: str, *, is_open: bool) -> None:
    assert HOURS.is_open(datetime.fromisoformat(moment)) is is_open


def script(**tables: Any) -> Script:
    return Script.model_validate({"greeting": {"say": "Hi.", "then": "main"}, **tables})


def test_one_text_and_several_are_both_texts() -> None:
    assert script().greeting.say == ("Hi.",)
    assert script(help=["a", "b"]).help == ("a", "b")


def test_what_a_caller_can_say_is_listed_once_each_with_the_names_of_keys() -> None:
    whole = script(
        menu={"main": {"say": "?", "choices": [{"to": "q", "words": ["news", "new"], "key": "1"}]}},
        question={"q": {"say": "?", "keep": "city", "phrases": ["berlin", "news"], "then": "main"}},
        everywhere=[{"words": "help", "key": "*", "do": "help"}],
    )

    assert whole.phrases() == ("news", "new", "help", "one", "star", "berlin")
    assert list(whole.steps()) == ["main", "q"]


def test_a_dictated_number_adds_the_digits() -> None:
    question = {"q": {"say": "?", "keep": "n", "answer": "digits", "then": "q"}}

    assert {"zero", "oh", "nine"} <= set(script(question=question).phrases())


def test_prompts_are_listed_once_each() -> None:
    answers = {"a": {"play": "a.mp3"}, "b": {"play": "a.mp3"}, "c": {"say": "c"}}
    whole = script(answer=answers, greeting={"play": "hello.wav", "then": "a"})

    assert whole.prompts() == ["a.mp3", "hello.wav"]


def test_the_clock_is_that_of_the_script() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)

    assert script(zone="Europe/Berlin").local(noon).hour == 14
    assert script().local(noon).hour == 12


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "/etc/passwd"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone_named(name)


@pytest.mark.parametrize(
    "tables",
    [
        {"colour": "red"},
        {"menu": {"main": {"say": "?", "choices": []}}},
        {"menu": {"main": {"say": "?", "choices": [{"to": "a", "key": "12"}]}}},
        {"answer": {"a": {"say": [" "]}}},
        {"answer": {"a": {"say": 5}}},
        {"question": {"q": {"say": "?", "keep": "No Name", "then": "q"}}},
        {"transfer": {"p": {"number": "030123", "otherwise": "p"}}},
        {"hours": {"h": {"open": "a", "closed": "b", "mon": "9-17"}}},
        {"hours": {"h": {"open": "a", "closed": "b", "closed_on": ["25.12."]}}},
        {"everywhere": [{"words": "help", "do": "help", "to": "a"}]},
        {"everywhere": [{"words": "help"}]},
        {"message": {"m": {"say": "?", "longest_s": 5000}}},
    ],
)
def test_what_is_not_known_or_not_of_its_form_is_refused(tables: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        script(**tables)
