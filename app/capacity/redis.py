"""Permits that all replicas share: line and leases live in the store, by its clock and in its scripts.

A permit is a lease of five seconds, renewed once a second by the event loop that uses it, so that a process
that died or hangs does not keep it. While the store is away a live call keeps what it holds, and new permits
are given out of this replica's share: the limit divided by the replicas that were last known. On its return
every holder asserts its leases, above the limit if need be, and whoever waited takes the old place in line.
"""

import asyncio
import itertools
import math
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Self

from app import clock
from app.capacity.effective import MARGIN_SHARE, UNKNOWN
from app.capacity.leases import Lease, Leases
from app.capacity.ledger import NO_NEWS, Ledger, Renewal
from app.capacity.line import MOST_WAITING
from app.capacity.local import WORTH_TELLING_S
from app.capacity.port import Permit, PermitStatus, Rank
from app.capacity.store import Store, StoreAway
from app.errors import AtCapacity
from app.log import log

RENEW_S = 1.0  # seconds; a lease lasts five, so that four renewals may be lost before one is
POLL_S = 0.25  # seconds between two looks of those who wait, should the word that wakes them get lost
HASTE_S = 1.0  # seconds without the store in which it may have been a restart, or a hiccup of our own
MOST_AT_ONCE = 500  # ids in one command
NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change."""

    provider: str
    configured: int | None
    most_waiting: int
    replicas: Callable[[], int]
    owner: str
    """This process, among all that ever were: two of one name must not share a lease."""


@dataclass(slots=True)
class News:
    """Of the vendor's limit, not yet told to the store."""

    vendor: str = NO_NEWS
    refused: bool = False
    last_vendor: str = NO_NEWS


@dataclass(slots=True)
class Counts:
    """Since the start, of this replica."""

    granted: int = 0
    gave_up: int = 0
    refused: int = 0
    revived: int = 0
    """Leases that had run out, or were lost with the store, and were in use all the same."""
    above: int = 0
    """How many of these were above the limit."""


class RedisPermits:
    """One provider's permits; entered once for the life of the process, after the store.

    Args:
        store: where they are shared.
        provider: whose workspace.
        configured: permits at once; None: as the vendor says.
        replica: this server's name.
        replicas: how many servers were last known, this one included.
        most_waiting: in line, over all replicas.
    """

    def __init__(
        self,
        store: Store,
        provider: str,
        configured: int | None = None,
        *,
        replica: str = "one",
        replicas: Callable[[], int] = lambda: 1,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        owner = f"{replica.replace('|', '-')}-{secrets.token_hex(4)}"
        self.counts = Counts()
        self._ledger = Ledger(store, provider, configured, most_waiting)
        self._terms = Terms(provider, configured, most_waiting, replicas, owner)
        self._leases = Leases(configured or UNKNOWN)
        self._news = News()
        self._bell = asyncio.Event()
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        store, channel = self._ledger.store, self._ledger.channel(self._terms.owner)
        with suppress(StoreAway):
            if store.available:
                await self._assert_all(returning=True)
        store.join(self)
        store.listen(channel, self._granted)
        group = await self._life.enter_async_context(asyncio.TaskGroup())
        self._life.callback(store.leave, self)
        self._life.callback(store.unlisten, channel)
        self._life.callback(group.create_task(self._run()).cancel)
        return self

    async def __aexit__(self, *exc: object) -> None:
        with suppress(StoreAway):
            await self._tell_departures()
        await self._life.aclose()

    def permit(self, rank: Rank, *, wait_s: float) -> AbstractAsyncContextManager[Permit]:
        """As `Permits.permit`; the store is waited for no longer than its deadline."""
        return self._permit(rank, wait_s)

    def vendor_allows(self, maximum: int | None) -> None:
        word = "" if maximum is None or maximum < 1 else str(less_margin(maximum))
        if word != self._news.last_vendor:
            self._news.vendor = self._news.last_vendor = word
            known = [most for most in (self._terms.configured, int(word or 0)) if most]
            self._leases.limit = min(known, default=UNKNOWN)
            self._bell.set()

    def vendor_refused(self) -> None:
        self.counts.refused += 1
        if not self._news.refused:
            self._leases.limit = max(1, min(self._leases.limit, self._leases.in_use) // 2)
        self._news.refused = True
        self._bell.set()

    def status(self) -> PermitStatus:
        return PermitStatus(
            limit=self._leases.limit,
            configured=self._terms.configured,
            in_use=self._leases.in_use,
            waiting=self._leases.in_line,
            granted=self.counts.granted,
            gave_up=self.counts.gave_up,
            refused_by_vendor=self.counts.refused,
        )

    def went_away(self) -> None:
        """Without the store: a share of its own."""
        self._leases.forget_others()
        self._serve_share()

    async def came_back(self) -> None:
        """The store is told all that is held, and who waits at which place."""
        self._news.vendor = self._news.last_vendor  # a store that comes back empty has to learn it again
        await self._assert_all(returning=True)

    @asynccontextmanager
    async def _permit(self, rank: Rank, wait_s: float) -> AsyncIterator[Permit]:
        if len(self._leases.waiting) >= self._terms.most_waiting:
            raise self._give_up("the line is full")
        lease = Lease(f"{self._terms.owner}|{next(NUMBERS)}|{rank.value}", rank, clock.now())
        self._leases.ask(lease)
        try:
            await self._ask(lease)
            await self._wait(lease, wait_s)
            self._count_grant(lease)
            yield lease
        finally:
            self._leases.give_back(lease)
            self._serve_share()
            self._bell.set()

    async def _ask(self, lease: Lease) -> None:
        leaving = list(self._leases.leaving)
        try:
            await self._tell_news()
            answer = await self._ledger.acquire(lease.id, leaving)
        except StoreAway:
            self._serve_share()
            return
        self._leases.left(leaving)
        lease.place = answer.place
        if answer.outcome == "granted":
            self._leases.grant(lease.id)
        self._leases.limit = answer.standing.limit
        if answer.outcome == "full":
            raise self._give_up("the line is full")

    async def _wait(self, lease: Lease, wait_s: float) -> None:
        try:
            async with asyncio.timeout(
                None if lease.granted.is_set() else lease.asked_at + wait_s - clock.now()
            ):
                await lease.granted.wait()
        except TimeoutError:
            raise self._give_up(f"none within {wait_s:g} s") from None

    def _give_up(self, reason: str) -> AtCapacity:
        self.counts.gave_up += 1
        log.warning("capacity.gave_up", provider=self._terms.provider, reason=reason)
        return AtCapacity(f"{self._terms.provider}: {reason}")

    def _granted(self, lease_id: str) -> None:
        """The word by which another replica wakes one of ours."""
        self._leases.grant(lease_id)

    def _serve_share(self) -> None:
        store = self._ledger.store
        if not store.available:
            share = max(1, self._leases.limit // max(1, self._terms.replicas()))
            self._leases.serve(share, hastily=clock.now() - store.away_since < HASTE_S)

    async def _run(self) -> None:
        """Renew, look, and tell, as long as this event loop runs: who hangs is not to hold anything."""
        renewed_at = clock.now()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._bell.wait()
            self._bell.clear()
            if not self._ledger.store.available:
                self._serve_share()
                continue
            with suppress(StoreAway):
                await self._tell_departures()
                await self._tell_news()
                if clock.now() - renewed_at >= (POLL_S if self._leases.waiting else RENEW_S):
                    renewed_at = clock.now()
                    await self._assert_all()

    async def _tell_departures(self) -> None:
        while leaving := list(itertools.islice(self._leases.leaving, MOST_AT_ONCE)):
            standing = await self._ledger.release(leaving)
            self._leases.left(leaving)
            self._leases.limit = standing.limit

    async def _tell_news(self) -> None:
        vendor, refused = self._news.vendor, self._news.refused
        if vendor == NO_NEWS and not refused:
            return
        standing = await self._ledger.teach(vendor, refused=refused)
        self._news.refused = False
        if self._news.vendor == vendor:
            self._news.vendor = NO_NEWS
        self._leases.limit = standing.limit

    async def _assert_all(self, *, returning: bool = False) -> None:
        waiting = [(lease.id, lease.place) for lease in self._leases.waiting.values()]
        renewal = await self._ledger.renew(
            self._terms.owner, list(self._leases.held), waiting, returning=returning
        )
        for lease in list(self._leases.waiting.values()):
            lease.place = renewal.places.get(lease.id, lease.place)
        for lease_id in renewal.granted:
            self._leases.grant(lease_id)
        self._leases.limit = renewal.standing.limit
        self._leases.note_others(renewal.held_elsewhere, renewal.waiting_elsewhere)
        if renewal.revived:
            self._count_revived(renewal)

    def _count_grant(self, lease: Lease) -> None:
        lease.waited_s = clock.now() - lease.asked_at
        self.counts.granted += 1
        if lease.waited_s >= WORTH_TELLING_S:
            waited_ms = round(1000 * lease.waited_s)
            log.info(
                "capacity.waited", provider=self._terms.provider, rank=lease.rank.name, waited_ms=waited_ms
            )

    def _count_revived(self, renewal: Renewal) -> None:
        self.counts.revived += len(renewal.revived)
        self.counts.above += renewal.above
        log.warning(
            "capacity.leases_revived",
            provider=self._terms.provider,
            leases=len(renewal.revived),
            above_limit=renewal.above,
        )


def less_margin(maximum: int) -> int:
    """The vendor's maximum less what a paused holder may still use, but never nothing."""
    return max(1, maximum - max(1, math.ceil(maximum * MARGIN_SHARE)))
