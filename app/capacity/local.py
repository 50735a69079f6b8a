"""Permits within one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app import clock
from app.capacity.effective import EffectiveLimit
from app.capacity.line import MOST_WAITING, Line, Ticket
from app.capacity.port import PermitStatus, Rank
from app.errors import AtCapacity
from app.log import log

WORTH_TELLING_S = 0.25  # seconds of waiting that a caller could notice


@dataclass(frozen=True, slots=True)
class Held:
    """Leave that was given."""

    waited_s: float


@dataclass(slots=True)
class Counts:
    """Since the start."""

    granted: int = 0
    gave_up: int = 0
    refused: int = 0


class LocalPermits:
    """One provider's permits, for one process."""

    def __init__(self, name: str, configured: int | None = None, *, most_waiting: int = MOST_WAITING) -> None:
        self._name = name
        self._limit = EffectiveLimit(configured)
        self._line = Line(most_waiting)
        self._bells: dict[Ticket, asyncio.Event] = {}
        self._counts = Counts()
        self._timer: asyncio.TimerHandle | None = None
        self._told_limit = self._limit.current(0.0)

    @asynccontextmanager
    async def permit(self, rank: Rank, *, wait_s: float) -> AsyncIterator[Held]:
        asked_at = clock.now()
        try:
            ticket = self._line.join(rank)
        except AtCapacity:
            self._gave_up(rank, 0.0)
            raise
        try:
            await self._wait(ticket, wait_s)
            waited_s = clock.now() - asked_at
            if waited_s >= WORTH_TELLING_S:
                log.info("capacity.waited", **self._fields(rank, waited_s))
            yield Held(waited_s)
        finally:
            self._line.leave(ticket)
            self._bells.pop(ticket, None)
            self._grant()

    def vendor_allows(self, maximum: int | None) -> None:
        self._limit.vendor_allows(maximum)
        self._grant("the vendor's word")

    def vendor_refused(self) -> None:
        self._counts.refused += 1
        self._limit.refused(clock.now(), self._line.in_use)
        self._grant("a refusal")

    def status(self) -> PermitStatus:
        return PermitStatus(
            limit=self._limit.current(clock.now()),
            configured=self._limit.configured,
            in_use=self._line.in_use,
            waiting=self._line.waiting,
            granted=self._counts.granted,
            gave_up=self._counts.gave_up,
            refused_by_vendor=self._counts.refused,
        )

    async def _wait(self, ticket: Ticket, wait_s: float) -> None:
        bell = self._bells[ticket] = asyncio.Event()
        self._grant()
        try:
            async with asyncio.timeout(wait_s):
                await bell.wait()
        except TimeoutError:
            if bell.is_set():  # granted in the very moment
                return
            self._gave_up(ticket.rank, wait_s)
            raise AtCapacity(f"{self._name}: no permit within {wait_s:g} s") from None

    def _gave_up(self, rank: Rank, waited_s: float) -> None:
        self._counts.gave_up += 1
        log.warning("capacity.gave_up", waiting=self._line.waiting, **self._fields(rank, waited_s))

    def _fields(self, rank: Rank, waited_s: float) -> dict[str, str | int]:
        return {"provider": self._name, "rank": rank.name.lower(), "waited_ms": round(waited_s * 1000)}

    def _grant(self, why: str = "a quiet while") -> None:
        """Let in whose turn has come, and come back when the limit recovers while somebody waits."""
        limit = self._limit.current(clock.now())
        if limit != self._told_limit:
            log.info(
                "capacity.limit_changed", provider=self._name, before=self._told_limit, limit=limit, why=why
            )
            self._told_limit = limit
        for ticket in self._line.grant(limit):
            self._counts.granted += 1
            self._bells[ticket].set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._limit.next_change()
        if due is not None and self._line.waiting:
            self._timer = asyncio.get_running_loop().call_at(due, self._grant)
