"""A yes is decided on the caller's words alone."""

import pytest

from app.conversation.llm_consent import CONSENT_PHRASES, agrees


@pytest.mark.parametrize(
    "text",
    ["Yes.", "yeah", "Yes, please do!", "okay sure", "Of course.", "That's right", "go ahead", "why not"],
)
def test_a_plain_yes(text: str) -> None:
    assert agrees(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "No.",
        "yes, no, wait",
        "okay but who is that",
        "sure, why",
        "I said yes yesterday",
        "don't do that",
        "Hamburg",
        "right, but first the tour dates",
        "of course not",
        "the system says yes",
    ],
)
def test_everything_else_is_no_yes(text: str) -> None:
    assert not agrees(text)


def test_what_the_recogniser_is_told_to_expect_is_understood() -> None:
    assert agrees(CONSENT_PHRASES[0])
    assert "no" in CONSENT_PHRASES
