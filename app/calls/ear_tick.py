"""The process's one tick: every 20 ms all ears are judged in one step, and the news handed to their calls."""

import asyncio
from collections.abc import Callable

from app import clock
from app.hearing.ear import Ear, Ears, Event

TICK_S = 0.020  # a frame's length: a batch of all calls' frames costs little more than one


class EarTick:
    """The ears of this process; `run` is one task for all calls."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._readers: dict[Ear, Callable[[list[Event]], None]] = {}

    def open(self) -> Ear:
        """An ear for one call; `attach` a reader to it."""
        return self._ears.open()

    def attach(self, ear: Ear, reader: Callable[[list[Event]], None]) -> None:
        self._readers[ear] = reader

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
                if (reader := self._readers.get(ear)) is not None:
                    reader(events)
