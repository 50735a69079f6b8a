"""The conversation that says back what it heard."""

import pytest

from app.conversation import port
from app.conversation.echo import GREETING, Echo
from app.conversation.port import Expect, GiveUp, HangUp, Say


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (port.CallStarted("CA1"), GREETING),
        (port.UtteranceHeard("tour dates"), "I heard: tour dates"),
        (port.KeysEntered("1*"), "You pressed one star."),
        (port.KeysEntered(""), "You pressed nothing."),
        (port.NotUnderstood(), "I heard a voice, but no words."),
        (port.SilenceLasted(2), "I hear nothing. Say something, or press a key."),
        (port.HearingLost(), "I can hear no more words, but I see your keys."),
    ],
)
def test_what_is_heard_is_said_and_anything_is_expected(fact: port.Fact, said: str) -> None:
    assert Echo().handle(fact) == [Say(said), Expect(())]


def test_it_leaves_a_silent_line_and_gives_up_without_a_voice() -> None:
    assert Echo().handle(port.SilenceLasted(3))[-1] == HangUp()
    assert Echo().handle(port.SpeechFailed("I heard: x")) == [GiveUp()]


def test_its_own_words_are_no_news() -> None:
    assert Echo().handle(port.SentenceHeard("I heard: x")) == []
    assert Echo().handle(port.Interrupted("I heard", ": x")) == []
