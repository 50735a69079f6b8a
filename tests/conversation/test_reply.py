"""Our side of the turns."""

import pytest

from app.conversation.reply import Reply


@pytest.mark.parametrize(
    ("text", "least_words", "ends"),
    [
        ("stop please", 1, True),
        ("stop please", 3, False),
        ("uh-huh", 1, False),
        ("", 1, False),
        ("", 0, True),
        ("Okay.", 1, True),
        ("right", 1, False),
    ],
)
def test_which_words_end_a_reply_when_okay_is_an_answer(text: str, least_words: int, *, ends: bool) -> None:
    reply = Reply()
    reply.expect(("okay", "no"))

    assert reply.is_ended_by(text, least_words=least_words) is ends
