"""A conversation without a state."""

from app.conversation.echo import Echo
from app.conversation.port import CallResumed, Say


def test_nothing_is_kept_and_anything_can_be_restored() -> None:
    echo = Echo()
    echo.restore({"step": "main"})

    assert echo.snapshot() == {}


def test_what_was_not_heard_is_said_again() -> None:
    assert Say("I heard: x") in Echo().handle(CallResumed((Say("I heard: x"),)))
