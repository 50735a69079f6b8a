"""The events of all replicas in one capped stream, for operators who do not know which replica to ask."""

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

from app.capacity.store import Store, StoreAway
from app.log import Event
from app.observe.ring import Filter

KEPT = 10_000  # events of the fleet, about 4 MB
MOST_WAITING = 2000  # events of this replica; the oldest are dropped while the store is away
WRITE_S = 0.25  # seconds between two writes
MOST_AT_ONCE = 200  # in one write
CHUNK = 250  # in one read, about 100 KB: no reader may make the store late for calls
LAST_WITHIN_S = 1.0  # seconds for all reads of a page


class SharedEvents:
    """Writes this replica's events, and reads those of all; entered once for the life of the process.

    Attach its `read` to the event stream.
    """

    def __init__(self, store: Store, replica: str) -> None:
        self.dropped = 0
        """Events that never reached the store."""
        self._store = store
        self._replica = replica
        self._waiting: deque[str] = deque()
        self._writing = asyncio.Lock()
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        group = await self._life.enter_async_context(asyncio.TaskGroup())
        self._life.callback(group.create_task(self._run()).cancel)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._write()
        await self._life.aclose()

    def read(self, event: Event) -> None:
        """Take one event; never waits, never raises."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(json.dumps({**event, "replica": self._replica}, default=str))

    async def last(self, limit: int, wanted: Filter) -> list[Event]:
        """The newest `limit` events that `wanted` admits, newest last; this replica's to the very last.

        Raises:
            StoreAway: there is only this replica's own ring, or all of them would take too long.
        """
        await self._write()
        try:
            async with asyncio.timeout(LAST_WITHIN_S):
                found = await self._newest(limit, wanted)
        except TimeoutError:
            raise StoreAway(f"events not read within {LAST_WITHIN_S} s") from None
        # The store has them as they were written: in batches, and after an absence all at once.
        return sorted(found, key=lambda event: str(event.get("timestamp", "")))

    async def after(self, number: str, wanted: Filter) -> tuple[str, list[tuple[str, Event]]]:
        """Where to go on, and the numbered events since `number` (empty: from now on) that `wanted` admits.

        Raises:
            StoreAway: there is only this replica's own ring.
        """
        if not number:
            entries = await self._store.ask("XREVRANGE", self._key, "+", "-", "COUNT", 1)
            return (_id(entries[0]) if entries else "0-0"), []
        entries = await self._store.ask("XRANGE", self._key, f"({number}", "+", "COUNT", CHUNK)
        found = [(each, event) for each, event in _events(entries) if wanted.admits(event)]
        return (_id(entries[-1]) if entries else number), found

    async def _newest(self, limit: int, wanted: Filter) -> list[Event]:
        found: list[Event] = []
        newest = "+"
        while len(found) < limit:
            entries = await self._store.ask("XREVRANGE", self._key, newest, "-", "COUNT", CHUNK)
            found += [event for _, event in _events(entries) if wanted.admits(event)]
            if len(entries) < CHUNK:
                break
            newest = "(" + _id(entries[-1])
        return found[:limit][::-1]

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(WRITE_S)
            await self._write()

    async def _write(self) -> None:
        """Send what waits; what could not be sent waits on."""
        async with self._writing:  # two batches on their way could overtake each other
            while self._waiting and self._store.available:
                batch = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
                add = ("XADD", self._key, "MAXLEN", "~", KEPT, "*", "event")
                try:
                    await self._store.tell([(*add, each) for each in batch])
                except StoreAway:
                    self.dropped += len(batch)  # they may be there; twice would be worse

    @property
    def _key(self) -> str:
        return self._store.key("events")


def _id(entry: Sequence[Any]) -> str:
    number: bytes = entry[0]
    return number.decode()


def _events(entries: Sequence[Any]) -> Iterator[tuple[str, Event]]:
    """Redis's answers, whose form depends on the client's version: fields as a list or a dict.

    What another version of hotline wrote and this one cannot read is passed over.
    """
    for number, fields in entries:
        written = fields.get(b"event", b"") if isinstance(fields, dict) else fields[1]
        with suppress(ValueError):
            event = json.loads(written)
            if isinstance(event, dict):
                yield number.decode(), event
