"""The smallest conversation."""

from app.conversation.announcement import Announcement
from app.conversation.port import CallStarted, GiveUp, HangUp, KeyPressed, Say, SentenceHeard, SpeechFailed

STARTED = CallStarted("CA1")


def test_the_text_is_said_once_when_the_call_starts() -> None:
    conversation = Announcement("Hello. Welcome.")

    assert conversation.handle(STARTED) == [Say("Hello. Welcome.")]
    assert conversation.handle(SentenceHeard("Hello.")) == []
    assert conversation.handle(KeyPressed("1")) == []


def test_it_hangs_up_after_the_text_when_told_to() -> None:
    assert Announcement("Bye.", then_hang_up=True).handle(STARTED) == [Say("Bye."), HangUp()]


def test_without_a_voice_it_gives_up_rather_than_leave_silence() -> None:
    assert Announcement("Hello.").handle(SpeechFailed("Hello.")) == [GiveUp()]
