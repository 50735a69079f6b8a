"""The conversation on one call: asked one question at a time, its orders handed on as they become known."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from app import clock
from app.conversation.port import Fact, Order, StreamingConversation


class Responder:
    """`ask` queues a question, `note` a fact without one; `run` puts them to the conversation in order."""

    def __init__(
        self, conversation: StreamingConversation, *, order: Callable[[Order], None], done: Callable[[], None]
    ) -> None:
        self._conversation = conversation
        self._order = order
        self._done = done
        self._facts: asyncio.Queue[tuple[Fact, bool]] = asyncio.Queue()
        self._answering: asyncio.Timeout | None = None

    def ask(self, fact: Fact) -> None:
        """Its orders are handed on; `done` follows them."""
        self._facts.put_nowait((fact, True))

    def note(self, fact: Fact) -> None:
        """For the conversation's memory: what it would order is dropped."""
        self._facts.put_nowait((fact, False))

    def abandon(self) -> None:
        """Leave the answer that is being given."""
        if self._answering is not None:
            self._answering.reschedule(clock.now())

    async def run(self) -> None:
        """Answer until the call cancels this."""
        while True:
            fact, wants_answer = await self._facts.get()
            if not wants_answer:
                await self._remember(fact)
                continue
            try:
                async with asyncio.timeout(None) as self._answering:
                    await self._answer(fact)
            except TimeoutError:
                continue  # abandoned
            finally:
                self._answering = None

    async def _answer(self, fact: Fact) -> None:
        answering = self._answering
        async with aclosing(self._conversation.respond(fact)) as orders:
            async for order in orders:
                if answering is not None and answering.when() is not None:
                    return  # abandoned a moment ago
                self._order(order)
        if answering is None or answering.when() is None:
            self._done()

    async def _remember(self, fact: Fact) -> None:
        async with aclosing(self._conversation.respond(fact)) as orders:
            async for _ in orders:
                pass
