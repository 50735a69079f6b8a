"""Live calls are asked to leave, as far as the drain has come."""

import asyncio

from app import clock
from app.calls.drain import Drain, Patience
from app.calls.registry import LiveCall, Registry
from app.calls.seeing_off import NOTICE, see_off
from tests.virtual_time import in_virtual_time


class Leaving:
    """Notes what it is asked."""

    doing, streams, silent_s = "listening", 1, 0.0

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def leave(self) -> None:
        self.asked.add("leave")

    def part(self, notice: str) -> None:
        self.asked.add(notice)

    def give_way(self) -> None:
        self.asked.add("give way")

    def lost(self) -> None:
        self.asked.add("lost")


@in_virtual_time
async def test_calls_are_left_alone_then_asked_then_told() -> None:
    drain, registry, call = Drain(Patience(10.0, 20.0)), Registry(), Leaving()
    registry.began(LiveCall("CA1", "MZ1", "", leaver=call))
    running = asyncio.ensure_future(see_off(drain, registry))
    asked = []
    drain.begin(clock.now())
    for _ in range(3):
        await asyncio.sleep(9)
        asked.append(set(call.asked))
    running.cancel()

    assert asked == [set(), {"leave"}, {"leave", NOTICE}]
