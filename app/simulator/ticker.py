"""One clock for all callers: every member is ticked every 20 ms, on a deadline that lateness never moves."""

import asyncio
import itertools
from typing import Protocol

from app import clock
from app.audio.frame import FRAME_MS

FRAME_S = FRAME_MS / 1000
PHASES = 10  # groups of callers, 2 ms apart: real callers do not all speak in the same instant
PHASE_S = FRAME_S / PHASES


class Member(Protocol):
    """Somebody who acts every 20 ms."""

    def tick(self) -> None:
        """Do what is due in these 20 ms; must not block."""


class Ticker:
    """Runs as one task of the exchange. A late tick is made up for, one turn of the event loop each."""

    def __init__(self) -> None:
        self._phases: list[dict[Member, None]] = [{} for _ in range(PHASES)]
        self.lateness_ms = Histogram()

    def add(self, member: Member) -> None:
        min(self._phases, key=len)[member] = None

    def remove(self, member: Member) -> None:
        for members in self._phases:
            members.pop(member, None)

    async def run(self) -> None:
        start = clock.now()
        for number in itertools.count():
            for phase, members in enumerate(self._phases):
                if members or not phase:
                    await self._wait_until(start + number * FRAME_S + phase * PHASE_S, bool(members))
                for member in tuple(members):
                    member.tick()

    async def _wait_until(self, deadline: float, measured: bool) -> None:
        # Also when it is late: what has arrived meanwhile is read before the next 20 ms are played.
        await asyncio.sleep(max(0.0, deadline - clock.now()))
        if measured:
            self.lateness_ms.add((clock.now() - deadline) * 1000)


class Histogram:
    """Whole milliseconds and how often; a long load does not fill the memory."""

    LAST_MS = 1000

    def __init__(self) -> None:
        self._counts = [0] * (self.LAST_MS + 1)

    def add(self, value_ms: float) -> None:
        self._counts[min(self.LAST_MS, max(0, int(value_ms)))] += 1

    def percentile(self, share: float) -> int:
        """The least whole ms that `share` of the values do not exceed; 0 when there are none."""
        wanted = share * sum(self._counts)
        sums = itertools.accumulate(self._counts)
        return next((value for value, sum_ in enumerate(sums) if sum_ >= wanted), 0)
