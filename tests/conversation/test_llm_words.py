"""What is said without a model."""

from app.conversation.llm_words import FixedWords
from app.conversation.persona import Persona
from app.conversation.port import Expect, HangUp, Say

PERSONA = Persona.model_validate({"character": "x", "greeting": "Hi.", "phrases": ["tour dates"]})


def test_the_greeting_is_the_personas_unless_given() -> None:
    assert FixedWords(PERSONA, "").greeting == "Hi."
    assert FixedWords(PERSONA, "Welcome.").greeting == "Welcome."


def test_wordings_change_and_names_are_filled_in() -> None:
    words = FixedWords(PERSONA, "")

    assert words.line("missed") != words.line("missed")
    assert words.line("confirm", name="the office") == Say("Shall I put you through to the office?")


def test_silence_is_met_twice_and_then_the_call_ends() -> None:
    words = FixedWords(PERSONA, "")

    assert [words.silence(times)[-1] for times in (1, 2, 3)] == [
        Expect(("tour dates",)),
        Expect(("tour dates",)),
        HangUp(),
    ]
    assert words.silence(1)[0] != words.silence(2)[0]
