"""What a model wants done is checked against the configuration, whatever it says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversation.llm_port import ToolCall
from app.conversation.llm_tools import MOST_ROWS, Confirm, Done, Handed, Outcome, Refused, Toolbox
from app.conversation.persona import Persona
from app.conversation.port import GatherKeys, HangUp, PressKeys, TakeMessage, Transfer

PERSONA = Persona.model_validate(
    {
        "character": "You answer.",
        "transfer": {
            "office": {"number": "+15550100001", "about": "tickets"},
            "shop": {"number": "+15550100002", "confirm": False},
            "nobody": {"number": ""},
        },
        "message": {"longest_s": 90},
        "keys": {"most": 12},
        "table": {"tour": {"rows": {"Hamburg": "3 October", "New York": "5 May", "New Delhi": "6 May"}}},
    }
)


def use(name: str, arguments: object = "", persona: Persona = PERSONA) -> Outcome:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return Toolbox(persona).use(ToolCall("call_1", name, text))


def test_only_what_is_declared_is_offered() -> None:
    bare = Persona.model_validate({"character": "You answer.", "hang_up": False})

    assert [tool.name for tool in Toolbox(PERSONA).tools] == [
        "transfer",
        "take_message",
        "ask_for_keys",
        "look_up",
        "hang_up",
    ]
    assert Toolbox(bare).tools == ()
    assert isinstance(use("hang_up", persona=bare), Refused)


def test_no_number_is_ever_told_to_the_model() -> None:
    told = str(Toolbox(PERSONA).tools) + str(use("transfer", {"to": "somewhere"}))

    assert "5550100" not in told
    assert "nobody" not in str(Toolbox(PERSONA).tools)


def test_a_transfer_goes_to_the_configured_number_after_a_yes() -> None:
    assert use("transfer", {"to": "office"}) == Confirm(PERSONA.transfer["office"], "office")
    assert use("transfer", {"to": "shop"}) == Handed(Transfer("+15550100002"), "transfer")


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": "+19005550199"},
        {"to": "sip:me@example.com"},
        {"to": "nobody"},
        {"to": "Office "},
        {"to": "office", "number": "+19005550199"},
        {"to": ["office"]},
        {"to": None},
        {"number": "+19005550199"},
        {},
        [],
        "office",
        '{"to": "office"',
        '{"to": "office"} {"to": "shop"}',
        "[" * 100_000,
        '{"to": "\ud800"}',
    ],
    ids=str,
)
def test_a_transfer_anywhere_else_is_refused(arguments: object) -> None:
    outcome = use("transfer", arguments)

    assert isinstance(outcome, Refused)
    assert "900" not in outcome.told


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_invention_of_a_model_orders_anything(name: str, arguments: str) -> None:
    outcome = use(name, arguments)

    assert isinstance(outcome, Refused) or name in {"hang_up", "take_message", "ask_for_keys"}


def test_keys_are_pressed_only_where_that_is_declared_and_only_real_ones() -> None:
    presser = Persona.model_validate({"character": "You answer.", "press_keys": {}})

    assert use("press_keys", {"keys": "12#"}, presser) == Done("the keys were pressed", (PressKeys("12#"),))
    assert isinstance(use("press_keys", {"keys": "12#"}), Refused)
    for keys in ("", "1w", "1" * 33, "1\n"):
        assert isinstance(use("press_keys", {"keys": keys}, presser), Refused)


def test_ends_of_a_call_and_messages() -> None:
    assert use("hang_up") == Handed(HangUp(), "goodbye")
    assert use("take_message", {}) == Handed(TakeMessage(90), "message")
    assert isinstance(use("hang_up", {"now": True}), Refused)


def test_keys_are_gathered_up_to_the_declared_length() -> None:
    assert use("ask_for_keys", {"most": 4}) == Done(
        "the keys will be taken; now ask the caller for them", (GatherKeys(4),)
    )
    assert isinstance(use("ask_for_keys", {"most": 13}), Refused)
    assert isinstance(use("ask_for_keys", {"most": -1}), Refused)
    assert isinstance(use("ask_for_keys", {"most": "4; drop"}), Refused)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("Hamburg", "Hamburg: 3 October"),
        ("hamburg!", "Hamburg: 3 October"),
        ("the show in Hamburg", "Hamburg: 3 October"),
        ("new york", "New York: 5 May"),
        ("new", "New York: 5 May\nNew Delhi: 6 May"),
        ("Paris", "there is no such entry"),
        ("", "Hamburg: 3 October\nNew York: 5 May\nNew Delhi: 6 May"),
    ],
)
def test_rows_are_found_by_name_or_by_words(entry: str, found: str) -> None:
    assert use("look_up", {"table": "tour", "entry": entry}) == Done(found)


def test_a_table_that_is_not_there_is_refused() -> None:
    assert isinstance(use("look_up", {"table": "callers", "entry": ""}), Refused)


def test_a_long_table_is_not_told_at_once() -> None:
    rows = {f"Show {number}": "sold out" for number in range(100)}
    persona = Persona.model_validate({"character": "x", "table": {"tour": {"rows": rows}}})

    outcome = use("look_up", {"table": "tour", "entry": "show"}, persona)

    assert isinstance(outcome, Done)
    assert len(outcome.told.splitlines()) == MOST_ROWS


def test_names_that_a_model_invents_are_not_logged() -> None:
    toolbox = Toolbox(PERSONA)

    assert (toolbox.known("transfer"), toolbox.known("Anna lives in")) == ("transfer", "unknown")
