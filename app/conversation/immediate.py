"""A conversation that knows its words at once, as one that streams them: callers of either see the same."""

from collections.abc import AsyncGenerator, Mapping

from app.conversation.port import Conversation, Fact, Order


class Immediate:
    """Streams what a pure conversation answers."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def respond(self, fact: Fact) -> AsyncGenerator[Order, None]:
        """Take one fact, give the orders as they become known."""
        for order in self._conversation.handle(fact):
            yield order

    def snapshot(self) -> dict[str, object]:
        return self._conversation.snapshot()

    def restore(self, state: Mapping[str, object]) -> None:
        self._conversation.restore(state)
