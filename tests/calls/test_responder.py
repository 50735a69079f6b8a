"""The conversation, asked one question at a time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from app.calls.responder import Responder
from app.conversation.port import Fact, Order, Say, SentenceHeard, UtteranceHeard
from app.conversation.stateless import Stateless
from tests.virtual_time import in_virtual_time


class Slow(Stateless):
    """Answers each word of a question a second apart; remembers what it was told."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.left = 0

    async def respond(self, fact: Fact) -> AsyncGenerator[Order, None]:
        self.facts.append(fact)
        try:
            for word in fact.text.split() if isinstance(fact, UtteranceHeard | SentenceHeard) else ():
                await asyncio.sleep(1.0)
                yield Say(word)
        finally:
            self.left += 1


@asynccontextmanager
async def asked(conversation: Slow) -> AsyncIterator[tuple[Responder, list[str]]]:
    told: list[str] = []

    def order(given: Order) -> None:
        assert isinstance(given, Say)
        told.append(given.text)

    responder = Responder(conversation, order=order, done=lambda: told.append("done"))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(responder.run())
        yield responder, told
        running.cancel()


@in_virtual_time
async def test_orders_come_as_they_are_known_and_their_end_is_told() -> None:
    async with asked(Slow()) as (responder, told):
        responder.ask(UtteranceHeard("one two"))
        await asyncio.sleep(1.5)
        assert told == ["one"]
        await asyncio.sleep(1.0)
        assert told == ["one", "two", "done"]


@in_virtual_time
async def test_an_abandoned_answer_is_left_at_once_and_never_done() -> None:
    conversation = Slow()
    async with asked(conversation) as (responder, told):
        responder.ask(UtteranceHeard("one two three"))
        await asyncio.sleep(1.5)
        responder.abandon()
        responder.ask(UtteranceHeard("four"))
        await asyncio.sleep(1.2)
        assert told == ["one", "four", "done"]
        assert conversation.left == 2


@in_virtual_time
async def test_a_note_reaches_the_conversation_and_orders_nothing() -> None:
    conversation = Slow()
    async with asked(conversation) as (responder, told):
        responder.note(SentenceHeard("hello"))
        await asyncio.sleep(2.0)
        assert conversation.facts == [SentenceHeard("hello")]
        assert told == []


@in_virtual_time
async def test_abandoning_nothing_does_nothing() -> None:
    async with asked(Slow()) as (responder, told):
        responder.abandon()
        responder.ask(UtteranceHeard("one"))
        await asyncio.sleep(1.5)
        assert told == ["one", "done"]
