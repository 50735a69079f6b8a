"""The contract of a scarce thing: leave to use it, in turn, for as long as it is used.

A provider counts generations in flight per workspace, not calls: a permit is held from the first text sent to
the last audio byte received, never while what was made is played.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Rank(IntEnum):
    """Who goes first among those who wait; first come, first served within a rank."""

    TURN = 0  # a caller on a live call waits for an answer
    GREETING = 1  # a caller hears nothing yet, but nothing of theirs waits
    BATCH = 2  # nobody waits: phrases rendered ahead, other programs


@dataclass(frozen=True, slots=True)
class PermitStatus:
    """One provider's permits, for the operator."""

    limit: int
    """Permits that may be out now: the least of what was configured, what the vendor says, and what its
    refusals taught."""
    configured: int | None
    """None: left to the vendor."""
    in_use: int
    waiting: int
    granted: int
    """Since the start; the next two as well."""
    gave_up: int
    """Waited longer than they could, or were refused at the door of a full line."""
    refused_by_vendor: int


class Permit(Protocol):
    """Leave, held until its context is left."""

    @property
    def waited_s(self) -> float:
        """Seconds between asking and getting."""


class Permits(Protocol):
    """The permits of one provider, shared by all calls (and, with Redis, by all replicas)."""

    def permit(self, rank: Rank, *, wait_s: float) -> AbstractAsyncContextManager[Permit]:
        """Wait in line for leave, at most `wait_s`; leaving the context, also by cancellation, gives it back.

        Raises:
            AtCapacity: on entering: the wait budget is over, or the line is full.
        """

    def vendor_allows(self, maximum: int | None) -> None:
        """The vendor's own word on its limit; None: it has none."""

    def vendor_refused(self) -> None:
        """The vendor said "too many at once" although we held a permit: the limit is lower than we think."""

    def status(self) -> PermitStatus:
        """How it stands now."""
