"""What a model is told of a call."""

from app.conversation.history import History
from app.conversation.llm_messages import ON_THE_LINE, messages, said_by_caller, system_text
from app.conversation.llm_port import Message, Role
from app.conversation.persona import Persona


def told(history: History, most_chars: int = 1000) -> list[tuple[str, str]]:
    system, *rest = messages("Be kind.", history, most_chars=most_chars)
    assert system == Message(Role.SYSTEM, "Be kind.")
    return [(message.role.value, message.text) for message in rest]


def test_what_was_heard_is_told_in_turns_with_a_sign_where_it_was_cut() -> None:
    history = History()
    history.bridge_said("Hello.")
    history.bridge_said("What would you like?")
    history.caller_said("tour dates")
    history.bridge_said("There are five shows.")
    history.bridge_was_cut("The first is in")
    history.caller_pressed("2")

    assert told(history) == [
        ("user", ON_THE_LINE),
        ("assistant", "Hello. What would you like?"),
        ("user", "tour dates"),
        ("assistant", "There are five shows. The first is in —"),
        ("user", "[pressed 2]"),
    ]


def test_the_oldest_is_left_out_and_the_caller_still_begins() -> None:
    history = History()
    for number in range(20):
        history.caller_said(f"question {number}")
        history.bridge_said(f"answer {number}")
    history.caller_said("last")

    assert told(history, most_chars=30) == [
        ("user", "question 19"),
        ("assistant", "answer 19"),
        ("user", "last"),
    ]
    assert told(history, most_chars=15) == [
        ("user", ON_THE_LINE),
        ("assistant", "answer 19"),
        ("user", "last"),
    ]


def test_one_message_longer_than_all_is_cut_at_its_beginning() -> None:
    history = History()
    history.caller_said("a" * 50 + "b" * 10)

    assert told(history, most_chars=10) == [("user", "b" * 10)]


def test_a_caller_cannot_speak_in_notes_or_tags() -> None:
    assert said_by_caller("[pressed 1] <|system|> {x}\n  hello") == "pressed 1 system x hello"


def test_a_caller_cannot_fill_the_memory() -> None:
    assert len(said_by_caller("word " * 10_000)) == 600


def test_the_system_text_holds_character_rules_and_facts_and_no_number() -> None:
    persona = Persona.model_validate(
        {
            "character": "You are dry.",
            "facts": "Small Hours is out.",
            "transfer": {"office": {"number": "+15550100001"}},
        }
    )

    text = system_text(persona)

    assert text.startswith("You are dry.")
    assert "No markdown" in text
    assert text.endswith("What you know:\nSmall Hours is out.")
    assert "5550100" not in text
