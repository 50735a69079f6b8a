"""What the types of a script cannot see."""

from typing import Any

import pytest

from app.conversation.script_check import Flaw, check, ways
from app.conversation.script_model import Script

MENU: dict[str, Any] = {"say": "?", "choices": [{"to": "bye", "words": ["bye"], "key": "1"}]}
SOUND: dict[str, Any] = {
    "greeting": {"say": "Hi.", "then": "main"},
    "menu": {"main": MENU},
    "goodbye": {"bye": {"say": "Bye."}},
}


def flaws(**tables: Any) -> list[Flaw]:
    """What is wrong with the sound script when these tables are laid over it."""
    merged = {
        key: {**SOUND.get(key, {}), **value} if isinstance(value, dict) else value
        for key, value in tables.items()
    }
    return check(Script.model_validate({**SOUND, **merged}), exists=lambda prompt: prompt == "there.mp3")


def test_a_sound_script_has_no_flaw() -> None:
    assert flaws() == []


@pytest.mark.parametrize(
    ("tables", "path", "reason"),
    [
        (
            {
                "menu": {
                    "main": {
                        "say": "?",
                        "choices": [{"to": "nowhere", "key": "1"}, {"to": "bye", "key": "2"}],
                    }
                }
            },
            ("menu", "main", "choices", 0, "to"),
            "there is no step 'nowhere'",
        ),
        (
            {"everywhere": [{"to": "nowhere", "key": "0"}]},
            ("everywhere", 0, "to"),
            "there is no step 'nowhere'",
        ),
        ({"answer": {"lost": {"say": "?"}}}, ("answer", "lost"), "no way leads to 'lost'"),
        (
            {"answer": {"bye": {"say": "?"}}},
            ("goodbye", "bye"),
            "'bye' is in [answer] already (step names are unique)",
        ),
        (
            {"goodbye": {"bye": {}}},
            ("goodbye", "bye"),
            "'bye' has nothing to say (neither `say` nor `play`)",
        ),
        (
            {"greeting": {"say": []}},
            ("greeting",),
            "the greeting has nothing to say (neither `say` nor `play`)",
        ),
        (
            {"goodbye": {"bye": {"play": "gone.mp3"}}},
            ("goodbye", "bye", "play"),
            "there is no file 'gone.mp3' beside the script",
        ),
        (
            {"goodbye": {"bye": {"say": ["Bye.", "{x}"]}}},
            ("goodbye", "bye", "say", 1),
            "nothing is kept as 'x'",
        ),
        (
            {"silence": {"second": "{"}},
            ("silence", "second", 0),
            "a brace that is no placeholder (expected such as {name} or {name|friend})",
        ),
        ({"names": {"keys": "x"}}, ("names", "keys"), "'keys' is a placeholder of its own"),
        (
            {"everywhere": [{"to": "bye"}]},
            ("everywhere", 0),
            "can be neither said nor pressed (neither `words` nor `key`)",
        ),
        (
            {"everywhere": [{"do": "help", "key": "1"}]},
            ("menu", "main", "choices", 0, "key"),
            "key 1 means something else everywhere",
        ),
        (
            {"everywhere": [{"do": "help", "words": ["Bye!"]}]},
            ("menu", "main", "choices", 0, "words"),
            "'bye' means something else everywhere",
        ),
    ],
)
def test_a_flaw_is_named_with_its_place(
    tables: dict[str, Any], path: tuple[str | int, ...], reason: str
) -> None:
    assert flaws(**tables) == [Flaw(path, reason)]


def test_a_greeting_that_leads_nowhere_leaves_all_steps_unreached() -> None:
    assert flaws(greeting={"then": "nowhere"}) == [
        Flaw(("greeting", "then"), "there is no step 'nowhere'"),
        Flaw(("menu", "main"), "no way leads to 'main'"),
        Flaw(("goodbye", "bye"), "no way leads to 'bye'"),
    ]


def test_one_key_or_phrase_means_one_thing_in_a_menu() -> None:
    choices = [{"to": "bye", "words": ["bye"], "key": "1"}, {"to": "main", "words": ["Bye."], "key": "1"}]

    assert flaws(menu={"main": {"say": "?", "choices": choices}}) == [
        Flaw(("menu", "main", "choices", 1, "key"), "key 1 is taken in this menu"),
        Flaw(("menu", "main", "choices", 1, "words"), "'bye' means something else in this menu already"),
    ]


def test_the_same_step_may_be_named_everywhere_and_in_a_menu() -> None:
    assert flaws(everywhere=[{"to": "bye", "words": ["bye"], "key": "1"}]) == []


def test_answers_in_a_circle_would_be_heard_for_ever() -> None:
    circle = {"a": {"say": "a", "then": "b"}, "b": {"say": "b", "then": "a"}, "c": {"say": "c", "then": "a"}}
    found = flaws(answer=circle, everywhere=[{"to": "c", "key": "0"}])

    assert [flaw.path for flaw in found] == [("answer", "a"), ("answer", "b")]
    assert all("without listening" in flaw.reason for flaw in found)


def test_a_circle_through_a_question_is_a_conversation() -> None:
    assert (
        flaws(
            answer={"a": {"say": "a", "then": "q"}},
            question={"q": {"say": "?", "keep": "x", "then": "a"}},
            everywhere=[{"to": "a", "key": "0"}],
        )
        == []
    )


def test_a_kept_answer_and_a_name_must_not_be_the_same() -> None:
    question = {"q": {"say": "{x} {city}?", "keep": "city", "then": "bye"}}
    found = flaws(names={"city": "Berlin", "x": "y"}, question=question, everywhere=[{"to": "q", "key": "0"}])

    assert found == [Flaw(("question", "q", "keep"), "'city' is taken by another placeholder")]


def test_without_a_menu_every_answer_has_to_say_what_follows() -> None:
    tables = {"greeting": {"say": "Hi.", "then": "a"}, "answer": {"a": {"say": "a"}}}

    assert check(Script.model_validate(tables), exists=lambda _: True) == [
        Flaw(("answer", "a"), "'a' has no `then`, and there is no menu to go back to")
    ]


def test_all_ways_of_a_step_are_known() -> None:
    script = Script.model_validate(
        {
            **SOUND,
            "hours": {"h": {"open": "a", "closed": "b"}},
            "message": {"m": {"say": "?", "then": "c", "empty": "d"}},
            "transfer": {"t": {"otherwise": "e"}},
        }
    )

    assert {name: [target for _, target in ways(step)] for name, step in script.steps().items()} == {
        "main": ["bye"],
        "m": ["c", "d"],
        "t": ["e"],
        "h": ["a", "b"],
        "bye": [],
    }
