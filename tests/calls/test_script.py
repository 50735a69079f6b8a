"""What a call is about."""

from dataclasses import replace

from app.calls.script import Script
from app.conversation.echo import Echo
from app.conversation.immediate import Immediate
from app.conversation.port import TransferFailed


def test_a_caller_who_came_back_keeps_the_conversation() -> None:
    script = Script(Immediate(Echo()))
    back = replace(script, opening=TransferFailed("+15550123"))

    assert script.listens
    assert back.conversation is script.conversation
