"""Connections from which no whole request has come yet: how many may stand there, and who has to go.

A real request is here whole within a round trip. When too many stand at the door, those that have stood there
longest go: a flood of slow ones pushes out its own, and a webhook still gets through.
"""

import resource
from collections import Counter, OrderedDict
from typing import Protocol

from app.log import log
from app.web.pending import counted_as

MOST_WAITING = 512  # connections, where the process may have as many open files
SHARE_OF_FILES = 4  # else a fourth of those: live calls need the others
MOST_PER_ADDRESS = 64
TOLD_EVERY_S = 60.0  # seconds between two log lines about a crowd


class Guest(Protocol):
    """A connection."""

    def drop(self) -> None:
        """Cut it, without a word."""


def _allowed() -> int:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_WAITING if most == resource.RLIM_INFINITY else min(MOST_WAITING, most // SHARE_OF_FILES)


class Doorstep:
    """Who stands at the door, longest first. No clock: time comes in as `now`."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most or _allowed()
        self._waiting: OrderedDict[Guest, str] = OrderedDict()
        self._by_address: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._tell_from = float("-inf")

    def __len__(self) -> int:
        return len(self._waiting)

    def come(self, guest: Guest, now: float, peer: str = "") -> None:
        """A connection that has said nothing yet; it, or another one, may be dropped for it."""
        address = counted_as(peer)  # before its headers are here, only the peer is known
        if address and self._by_address[address] >= MOST_PER_ADDRESS:
            return self._drop(guest, "address", now)
        if len(self._waiting) >= self._most:
            longest = next(iter(self._waiting))
            self.leave(longest)
            self._drop(longest, "crowd", now)
        self._waiting[guest] = address
        self._by_address[address] += 1

    def leave(self, guest: Guest) -> bool:
        """Its request is here, or it has gone; False when it did not stand here."""
        if guest not in self._waiting:
            return False
        address = self._waiting.pop(guest)
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
        return True

    def too_slow(self, guest: Guest, now: float) -> None:
        """Its time is up."""
        if self.leave(guest):
            self._drop(guest, "slow", now)

    def figures(self) -> dict[str, int]:
        """For the operator: who stands here, and how many were dropped since the start, and why."""
        dropped = {f"dropped_{why}": self._dropped[why] for why in ("slow", "crowd", "address")}
        return {"waiting": len(self._waiting), "most": self._most, **dropped}

    def _drop(self, guest: Guest, why: str, now: float) -> None:
        self._dropped[why] += 1
        if now >= self._tell_from:
            self._tell_from = now + TOLD_EVERY_S
            log.warning("door.crowded", reason=why, **self.figures())
        guest.drop()
