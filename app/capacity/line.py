"""Who has leave and who waits for it: first by rank, then by arrival; pure."""

from collections import deque
from dataclasses import dataclass

from app.capacity.port import Rank
from app.errors import AtCapacity

BATCH_SHARE = 0.7  # of the limit that work nobody waits for may use; the vendor's own rule for batch calls
MOST_WAITING = 500  # in one line; more would wait longer than any caller does


@dataclass(slots=True, eq=False)
class Ticket:
    """One who asked; `held` from the grant until they leave."""

    rank: Rank
    held: bool = False
    gone: bool = False


class Line:
    """The line of one scarce thing. The limit comes with every question: it may have changed."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._waiting: dict[Rank, deque[Ticket]] = {rank: deque() for rank in Rank}
        self._held: dict[Rank, int] = dict.fromkeys(Rank, 0)

    @property
    def in_use(self) -> int:
        return sum(self._held.values())

    @property
    def waiting(self) -> int:
        return sum(len(line) for line in self._waiting.values())

    def join(self, rank: Rank) -> Ticket:
        """Stand behind all of the same rank; `grant` may let the ticket go first at once.

        Raises:
            AtCapacity: the line is full.
        """
        if self.waiting >= self._most_waiting:
            raise AtCapacity(f"{self.waiting} wait already")
        ticket = Ticket(rank)
        self._waiting[rank].append(ticket)
        return ticket

    def grant(self, limit: int) -> list[Ticket]:
        """Those whose turn has come, in order; they hold leave from now on."""
        granted = []
        for rank in Rank:  # a later one has a chance only where nobody is left of those before
            line = self._waiting[rank]
            while line and self.in_use < limit and self._may(rank, limit):
                ticket = line.popleft()
                ticket.held = True
                self._held[rank] += 1
                granted.append(ticket)
        return granted

    def leave(self, ticket: Ticket) -> None:
        """Give leave back, or the place in line; harmless when repeated."""
        if ticket.gone:
            return
        ticket.gone = True
        if ticket.held:
            self._held[ticket.rank] -= 1
        else:
            self._waiting[ticket.rank].remove(ticket)

    def _may(self, rank: Rank, limit: int) -> bool:
        return rank is not Rank.BATCH or self._held[rank] < max(1, int(limit * BATCH_SHARE))
