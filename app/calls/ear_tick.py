"""The process's one tick: every 20 ms all ears are judged in one step, and the news handed to their calls."""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context

from app import clock
from app.hearing.ear import Ear, Ears, Event

Reader = Callable[[list[Event]], None]

TICK_S = 0.020  # a frame's length: a batch of all calls' frames costs little more than one


class EarTick:
    """The ears of this process; `run` is one task for all calls."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._readers: dict[Ear, tuple[Context, Reader]] = {}

    def open(self) -> Ear:
        """An ear for one call; `attach` a reader to it."""
        return self._ears.open()

    def attach(self, ear: Ear, reader: Reader) -> None:
        """Hand the ear's news to `reader`, in the context of now: what it logs is its call's."""
        self._readers[ear] = (copy_context(), reader)

    def close(self, ear: Ear) -> None:
        """The call is over."""
        self._readers.pop(ear, None)
        self._ears.close(ear)

    async def run(self) -> None:
        """Step until cancelled; on absolute deadlines, and after a stall once for all that was missed."""
        due = clock.now()
        while True:
            due = max(due + TICK_S, clock.now())
            await asyncio.sleep(due - clock.now())
            for ear, events in self._ears.step():
                if ear in self._readers:
                    context, reader = self._readers[ear]
                    context.run(reader, events)
