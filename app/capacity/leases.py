"""What one replica holds of a provider's permits, and who of it waits: with the store, or without."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.capacity.ledger import UNPLACED
from app.capacity.line import BATCH_SHARE
from app.capacity.port import Rank

MOST_LEAVING = 5000  # ids; in a long absence the store forgets them by itself


@dataclass(eq=False, slots=True)
class Lease:
    """One permit, or the wait for it."""

    id: str
    rank: Rank
    asked_at: float
    granted: asyncio.Event = field(default_factory=asyncio.Event)
    place: str = UNPLACED
    """In the store's line; kept, should the store forget it."""
    waited_s: float = 0.0


class Leases:
    """The held and the waiting, by id.

    Without the store it is a line of its own: `serve` gives the free part of a share to whoever is first
    by rank and arrival.
    """

    def __init__(self) -> None:
        self.held: dict[str, Lease] = {}
        self.waiting: dict[str, Lease] = {}  # by arrival
        self.leaving: set[str] = set()
        """Given back here, and not yet in the store."""
        self._elsewhere = (0, 0)

    @property
    def in_use(self) -> int:
        """Over all replicas, as far as is known."""
        return self._elsewhere[0] + len(self.held)

    @property
    def in_line(self) -> int:
        return self._elsewhere[1] + len(self.waiting)

    def ask(self, lease: Lease) -> None:
        self.waiting[lease.id] = lease

    def grant(self, lease_id: str) -> Lease | None:
        """It is granted; None where it was given up in the meantime, or granted before."""
        lease = self.waiting.pop(lease_id, None)
        if lease is not None:
            self.held[lease_id] = lease
            lease.granted.set()
        return lease

    def give_back(self, lease: Lease) -> None:
        """Held or waiting, it is over; harmless when repeated."""
        self.held.pop(lease.id, None)
        self.waiting.pop(lease.id, None)
        if len(self.leaving) >= MOST_LEAVING:
            self.leaving.clear()
        self.leaving.add(lease.id)

    def serve(self, share: int, *, hastily: bool = False) -> list[Lease]:
        """Without the store: grant what is free of `share`.

        `hastily`, when it has only just gone: whoever stood in its line waits on, since all were in use, and
        whoever comes now stands behind.
        """
        served = []
        by_rank = sorted(self.waiting.values(), key=lambda each: each.rank)  # stable: by arrival within one
        for lease in by_rank:
            if len(self.held) >= share or (lease.rank is Rank.BATCH and self._batch_is_full(share)):
                break
            if hastily and lease.place != UNPLACED:
                break
            self.grant(lease.id)
            served.append(lease)
        return served

    def note_others(self, held: int, waiting: int) -> None:
        """What the store said of all other replicas."""
        self._elsewhere = (held, waiting)

    def forget_others(self) -> None:
        """The store is away: only what is here is known."""
        self._elsewhere = (0, 0)

    def left(self, ids: Iterable[str]) -> None:
        """The store knows that these were given back."""
        self.leaving.difference_update(ids)

    def _batch_is_full(self, share: int) -> bool:
        batch = sum(lease.rank is Rank.BATCH for lease in self.held.values())
        return batch >= max(1, int(BATCH_SHARE * share))
