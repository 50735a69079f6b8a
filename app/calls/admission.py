"""Who is let in: a slot per call, and a one-time token that ties the socket to its webhook.

The webhook reserves (`reserve`), the socket adopts (`adopt`), the end of the call gives back
(`release`). A reservation whose socket never comes lapses by itself. No clock: time comes in as `now`.
"""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from app.errors import AtCapacity, RemoteProtocolError

REMEMBERED = 10_000  # places; a repeated webhook comes within seconds, so this outlives every retry
TOKEN_BYTES = 24  # 192 random bits: cannot be guessed in the minute it lives


class Refusal(StrEnum):
    """Why a stream token was refused; for the log only, the other side is always told the same."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    OTHER_CALL = "other_call"


class TokenRefused(RemoteProtocolError):
    """A socket came without the right to be here."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"stream token {refusal.value.replace('_', ' ')}")
        self.refusal = refusal


@dataclass(slots=True)
class Place:
    """One call's place in the house."""

    call_sid: str  # empty until adopted, for a debug call asked for by hand
    token: str
    holds_until: float  # monotonic seconds; the slot is kept for the socket until then
    usable_until: float  # monotonic seconds; the token
    live: bool = False
    used: bool = False


class Admission:
    """Slots and tokens of this process.

    Args:
        max_calls: calls at once.
        reservation_s: seconds a slot waits for its socket.
        token_s: seconds a token can be used.
    """

    def __init__(self, max_calls: int, *, reservation_s: float = 15.0, token_s: float = 60.0) -> None:
        self.max_calls = max_calls
        self._reservation_s = reservation_s
        self._token_s = token_s
        self._places: OrderedDict[str, Place] = OrderedDict()  # by digest of the token
        self._by_call: dict[str, Place] = {}
        self._holding: dict[str, Place] = {}  # by digest: live, or reserved and not lapsed

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
        return {place.call_sid for place in self._holding.values()}

    def expire(self, now: float) -> list[str]:
        """Give back lapsed reservations; returns their CallSids, for the log."""
        lapsed = [
            (key, place)
            for key, place in self._holding.items()
            if not place.live and place.holds_until <= now
        ]
        for key, _ in lapsed:
            del self._holding[key]
        return [place.call_sid for _, place in lapsed]

    def reserve(self, call_sid: str, now: float) -> str:
        """Keep a slot for the call and return its stream token; the same one when asked again.

        An empty `call_sid` (debug TwiML asked for by hand) gets a token for whatever call uses it first
        and no slot until then.

        Raises:
            AtCapacity: every slot is taken.
        """
        self.expire(now)
        place = self._by_call.get(call_sid)
        if place is None or (not place.used and place.usable_until <= now):
            if call_sid and self.taken >= self.max_calls:
                raise AtCapacity(f"{self.taken} of {self.max_calls} calls")
            place = self._remember(call_sid, now)
        if call_sid and not place.used and self.taken < self.max_calls:
            place.holds_until = min(now + self._reservation_s, place.usable_until)
            self._holding[_digest(place.token)] = place
        return place.token

    def reserve_again(self, call_sid: str, now: float) -> str:
        """Keep a slot, and a new stream token, for a call whose stream has ended and which goes on here.

        Raises:
            AtCapacity: every slot is taken.
        """
        self._by_call.pop(call_sid, None)
        return self.reserve(call_sid, now)

    def adopt(self, token: str, call_sid: str, now: float) -> None:
        """The call's socket is here: use up the token, turn the reservation into a live call.

        Raises:
            TokenRefused: the token is not this call's, or not usable any more.
            AtCapacity: the reservation has lapsed and every slot is taken.
        """
        self.expire(now)
        key = _digest(token)
        place = self._places.get(key)
        refusal = _refusal(place, token, call_sid, now)
        if place is None or refusal is not None:
            raise TokenRefused(refusal or Refusal.UNKNOWN)
        self.release(call_sid)  # of an older stream, which this one takes over
        if key not in self._holding and self.taken >= self.max_calls:
            raise AtCapacity(f"{self.taken} of {self.max_calls} calls")
        place.used = place.live = True
        place.call_sid = call_sid
        self._by_call[call_sid] = place
        self._holding[key] = place

    def release(self, call_sid: str) -> None:
        """The call has ended; harmless when repeated."""
        place = self._by_call.get(call_sid)
        if place is not None:
            place.live = False
            self._holding.pop(_digest(place.token), None)

    def withdraw(self, call_sid: str) -> None:
        """The caller is gone before the socket came: give back what was only reserved."""
        place = self._by_call.get(call_sid)
        if place is not None and not place.live:
            place.used = True
            self._holding.pop(_digest(place.token), None)

    def is_full_of_live_calls(self) -> bool:
        """Whether no socket that comes now can be let in, whatever its token."""
        return self.live >= self.max_calls

    def _remember(self, call_sid: str, now: float) -> Place:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        place = Place(call_sid, token, holds_until=now, usable_until=now + self._token_s)
        self._places[_digest(token)] = place
        if call_sid:
            self._by_call[call_sid] = place
        while len(self._places) > max(REMEMBERED, 2 * self.max_calls):
            self._forget_oldest()
        return place

    def _forget_oldest(self) -> None:
        key, place = next(item for item in self._places.items() if item[0] not in self._holding)
        del self._places[key]
        if self._by_call.get(place.call_sid) is place:
            del self._by_call[place.call_sid]


def _refusal(place: Place | None, token: str, call_sid: str, now: float) -> Refusal | None:
    if not token:
        return Refusal.MISSING
    if place is None:
        return Refusal.UNKNOWN
    if place.used:
        return Refusal.USED
    if place.usable_until <= now:
        return Refusal.EXPIRED
    if place.call_sid and place.call_sid != call_sid:
        return Refusal.OTHER_CALL
    return None


def _digest(token: str) -> str:
    """Looked up by digest, so that the time a look-up takes says nothing about the token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
