"""Who is let in: a slot per call, kept by the webhook until the call's socket comes.

The webhook reserves (`reserve`), the socket adopts (`adopt`), the end of the call gives back
(`release`). A reservation whose socket never comes lapses by itself, and one whose socket went to another
replica is withdrawn. Whether a socket may come at all is the tokens' matter. No clock: time comes
in as `now`.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import AtCapacity

REMEMBERED = 10_000  # calls; a repeated webhook comes within seconds, so this outlives every retry
SET_ASIDE_S = 3.0  # seconds; Twilio asks what follows as soon as a stream has ended


@dataclass(slots=True)
class Place:
    """One call's place in the house."""

    call_sid: str
    holds_until: float  # monotonic seconds; the slot is kept for the socket until then
    live: bool = False
    over: bool = False
    """The socket came, or will never come: a repeated webhook keeps no slot."""


class Admission:
    """The slots of this process.

    Args:
        max_calls: calls at once.
        reservation_s: seconds a slot waits for its socket.
    """

    def __init__(self, max_calls: int, *, reservation_s: float = 15.0) -> None:
        self.max_calls = max_calls
        self._reservation_s = reservation_s
        self._places: OrderedDict[str, Place] = OrderedDict()  # by CallSid
        self._holding: dict[str, Place] = {}  # live, or reserved and not lapsed

    @property
    def live(self) -> int:
        """Calls whose socket is here."""
        return sum(place.live for place in self._holding.values())

    @property
    def taken(self) -> int:
        """Slots in use, reserved ones included; call `expire` first for an exact figure."""
        return len(self._holding)

    def calls(self) -> set[str]:
        """The CallSids of the slots in use, reserved ones included."""
        return set(self._holding)

    def holds(self) -> Iterator[Place]:
        """Every slot in use, reserved ones included."""
        return iter(self._holding.values())

    def expire(self, now: float) -> list[str]:
        """Give back lapsed reservations; returns their CallSids, for the log."""
        lapsed = [
            place.call_sid for place in self._holding.values() if not place.live and place.holds_until <= now
        ]
        for call_sid in lapsed:
            del self._holding[call_sid]
        return lapsed

    def reserve(self, call_sid: str, now: float) -> None:
        """Keep a slot for the call; one slot, however often it is asked for.

        An empty `call_sid` (debug TwiML asked for by hand) has no slot until its socket comes.

        Raises:
            AtCapacity: every slot is taken.
        """
        self.expire(now)
        known = self._places.get(call_sid)
        if not call_sid or (known is not None and known.over):
            return
        if call_sid not in self._holding and self.taken >= self.max_calls:
            raise AtCapacity(f"{self.taken} of {self.max_calls} calls")
        place = known or self._remember(call_sid)
        place.holds_until = now + self._reservation_s
        self._holding[call_sid] = place

    def reserve_again(self, call_sid: str, now: float) -> None:
        """Keep a slot for a call whose stream has ended and which goes on here.

        Raises:
            AtCapacity: every slot is taken.
        """
        known = self._places.get(call_sid)
        if known is not None and not known.live:
            known.over = False
        self.reserve(call_sid, now)

    def has_room_for(self, call_sid: str, now: float) -> bool:
        """Whether `adopt` would let the call in: asked before its token is used up."""
        self.expire(now)
        return call_sid in self._holding or self.taken < self.max_calls

    def adopt(self, call_sid: str, now: float, *, reserved_elsewhere: bool = False) -> None:
        """The call's socket is here, with its token: turn the reservation, or free room, into a live call.

        A call that another process of the fleet has a slot for comes in whatever there is here.

        Raises:
            AtCapacity: there is no reservation (any more), and every slot is taken.
        """
        if not (reserved_elsewhere or self.has_room_for(call_sid, now)):
            raise AtCapacity(f"{self.taken} of {self.max_calls} calls")
        place = self._places.get(call_sid) or self._remember(call_sid)
        place.live = place.over = True
        self._holding[call_sid] = place

    def release(self, call_sid: str) -> None:
        """The call has ended; harmless when repeated."""
        if call_sid in self._holding:
            self._holding.pop(call_sid).live = False

    def set_aside(self, call_sid: str, now: float) -> None:
        """The call's stream has ended and the call goes on: its slot waits a moment for the next stream."""
        if call_sid in self._holding:
            place = self._holding[call_sid]
            place.live = place.over = False
            place.holds_until = now + SET_ASIDE_S

    def withdraw(self, call_sid: str) -> None:
        """The socket will not come here: give back what was only reserved."""
        place = self._places.get(call_sid)
        if place is not None and not place.live:
            place.over = True
            self._holding.pop(call_sid, None)

    def _remember(self, call_sid: str) -> Place:
        place = self._places[call_sid] = Place(call_sid, holds_until=0.0)
        while len(self._places) > max(REMEMBERED, 2 * self.max_calls):
            del self._places[
                next(sid for sid in self._places if sid not in self._holding and sid != call_sid)
            ]
        return place
