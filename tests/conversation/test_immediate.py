"""A pure conversation, streamed."""

from app.conversation.announcement import Announcement
from app.conversation.immediate import Immediate
from app.conversation.port import CallStarted, HangUp, Say


async def test_the_orders_are_those_of_the_conversation() -> None:
    conversation = Immediate(Announcement("Bye.", then_hang_up=True))

    assert [order async for order in conversation.respond(CallStarted("CA1"))] == [Say("Bye."), HangUp()]
