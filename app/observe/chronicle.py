"""What happened, of all replicas: the fleet's events where there is a store, else the ring of this process.

Every event names the replica that tells it.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from app import clock
from app.capacity.store import StoreAway
from app.log import Event
from app.observe.fleet import Reach
from app.observe.ring import KEPT, Filter, Ring
from app.observe.shared_events import SharedEvents

POLL_S = 0.5  # seconds between two looks of a live reader at the store
KEEP_ALIVE_S = 15.0  # seconds of quiet after which a live reader is told that there was nothing
RING_ID, STORE_ID = re.compile(r"\d{1,18}"), re.compile(r"\d{1,18}-\d{1,18}")
AGAIN_S = 1.0  # seconds before an event's number that are told once more: it was written after it was said

Numbered = tuple[str, Event]


class Chronicle:
    """Read by operators, on any replica.

    Args:
        replica: this process's name.
        ring: its own events.
        shared: those of all, where there is a store.
    """

    def __init__(self, replica: str, ring: Ring, shared: SharedEvents | None) -> None:
        self._replica = replica
        self._ring = ring
        self._shared = shared

    async def last(self, limit: int, wanted: Filter) -> tuple[list[Event], Reach]:
        """The newest `limit` events that `wanted` admits, newest last, and of whom they are."""
        reach = Reach.ALONE
        if self._shared is not None:
            try:
                return await self._shared.last(limit, wanted), Reach.FLEET
            except StoreAway:
                reach = Reach.AWAY
        return [self._signed(event) for event in self._ring.last(limit, wanted)], reach

    def follow(self, wanted: Filter, last_id: str) -> AsyncIterator[Numbered | None]:
        """Events as they happen, numbered, after what was missed since `last_id`; None after a long quiet.

        With a store the numbers are the same on every replica. While it is away this replica's own events
        go on without a number; when it is back, what the others have said meanwhile follows.
        """
        if self._shared is None:
            return self._follow_ring(wanted, last_id)
        return self._follow_fleet(self._shared, wanted, last_id)

    async def _follow_ring(self, wanted: Filter, last_id: str) -> AsyncIterator[Numbered | None]:
        with self._ring.follow(wanted) as follower:
            if RING_ID.fullmatch(last_id):
                for number, event in self._ring.after(int(last_id), wanted):
                    yield str(number), self._signed(event)
            while True:
                while follower.waiting:
                    number, event = follower.waiting.popleft()
                    yield str(number), self._signed(event)
                follower.bell.clear()
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await follower.bell.wait()
                except TimeoutError:
                    yield None

    async def _follow_fleet(
        self, shared: SharedEvents, wanted: Filter, last_id: str
    ) -> AsyncIterator[Numbered | None]:
        place = last_id if STORE_ID.fullmatch(last_id) else ""
        own = _Own(self._replica, _moment(place))
        told_at = clock.now()
        while True:
            before = place
            try:
                place, found = await shared.after(place, wanted)
                due = own.from_store(found)
            except StoreAway:
                place = place or f"{round(1000 * clock.wall().timestamp())}-0"
                wanted_now = replace(wanted, since=max(wanted.since, own.until))
                due = own.from_ring([self._signed(each) for each in self._ring.last(KEPT, wanted_now)])
            for each in due:
                told_at = clock.now()
                yield each
            if clock.now() - told_at >= KEEP_ALIVE_S:
                told_at = clock.now()
                yield None
            if place == before or not before:
                await asyncio.sleep(POLL_S)

    def _signed(self, event: Event) -> Event:
        return {**event, "replica": self._replica}


class _Own:
    """Sees to it that a live reader is told this replica's events once, from the store or from the ring."""

    def __init__(self, replica: str, until: str) -> None:
        self.until = until
        """The last one that was told happened then; ISO 8601."""
        self._replica = replica
        self._told_here = ""  # until then the ring has told them

    def from_store(self, found: list[Numbered]) -> Iterator[Numbered]:
        for number, event in found:
            if event.get("replica") == self._replica:
                moment = str(event.get("timestamp", ""))
                if self._told_here and moment <= self._told_here:
                    continue
                self.until = moment
            yield number, event

    def from_ring(self, found: list[Event]) -> Iterator[Numbered]:
        for event in found:
            self.until = self._told_here = str(event.get("timestamp", ""))
            yield "", event


def _moment(place: str) -> str:
    """When what stands there was said at the earliest; now, where there is no place."""
    seconds = int(place.partition("-")[0]) / 1000 - AGAIN_S if place else clock.wall().timestamp()
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return clock.wall().isoformat()  # a place that no store ever gave
