"""Permits of a test: so many at once, first come first served; what was told of them is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.capacity.port import PermitStatus, Rank
from app.errors import AtCapacity


@dataclass(frozen=True)
class Granted:
    waited_s: float


class Places:
    """So many permits, whatever the rank; they do not learn."""

    def __init__(self, limit: int = 1_000) -> None:
        self._limit = limit
        self._free = asyncio.Semaphore(limit)
        self.asked: list[tuple[Rank, float]] = []
        self.held = 0
        self.peak = 0
        self.refusals = 0
        self.allowed: list[int | None] = []

    @asynccontextmanager
    async def permit(self, rank: Rank, *, wait_s: float) -> AsyncIterator[Granted]:
        self.asked.append((rank, wait_s))
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(wait_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise AtCapacity("no place became free") from error
        self.held += 1
        self.peak = max(self.peak, self.held)
        try:
            yield Granted(asyncio.get_running_loop().time() - began)
        finally:
            self.held -= 1
            self._free.release()

    def vendor_allows(self, maximum: int | None) -> None:
        self.allowed.append(maximum)

    def vendor_refused(self) -> None:
        self.refusals += 1

    def status(self) -> PermitStatus:
        return PermitStatus(self._limit, self._limit, self.held, 0, len(self.asked), 0, self.refusals)
