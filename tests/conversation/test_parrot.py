"""The conversation that plays back what it heard."""

import pytest

from app.conversation import port
from app.conversation.parrot import GREETING, Parrot
from app.conversation.port import Expect, GiveUp, HangUp, PlayBack, PressKeys, Say


@pytest.mark.parametrize("heard", [port.UtteranceHeard("hello"), port.NotUnderstood()])
def test_a_voice_is_played_back_whether_or_not_it_had_words(heard: port.Fact) -> None:
    assert Parrot().handle(heard) == [PlayBack(), Expect(())]


def test_keys_are_pressed_back() -> None:
    assert Parrot().handle(port.KeysEntered("1*")) == [PressKeys("1*")]
    assert Parrot().handle(port.KeysEntered("")) == []


def test_it_says_what_to_do_asks_into_silence_and_leaves_a_silent_line() -> None:
    assert Parrot().handle(port.CallStarted("CA1")) == [Say(GREETING), Expect(())]
    assert Parrot().handle(port.SilenceLasted(1)) == [Say("I hear nothing. Say something, or press a key.")]
    assert Parrot().handle(port.SilenceLasted(3))[-1] == HangUp()


def test_it_gives_up_without_a_voice_and_has_no_answer_to_its_own_words() -> None:
    assert Parrot().handle(port.SpeechFailed("x")) == [GiveUp()]
    assert Parrot().handle(port.SentenceHeard("x")) == []
