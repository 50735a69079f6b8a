"""Wrong operator tokens, counted by where they come from, so that guessing is slow and is told."""

from collections import OrderedDict
from ipaddress import IPv6Network

MOST_GUESSES = 10  # wrong tokens from one place ...
WINDOW_S = 60.0  # ... in so many seconds; then nothing is compared until they are over
MOST_PLACES = 1024  # remembered; the longest unseen are forgotten


class Guesses:
    """The wrong tokens of the last minute. No clock: time comes in as `now`."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, tuple[float, int]] = OrderedDict()  # end of the window, guesses in it

    def __len__(self) -> int:
        return len(self._places)

    def count(self, place: str, now: float) -> bool:
        """One more wrong token; True when it is the last that `place` may try for now."""
        ends, guesses = self._places.pop(place, (0.0, 0))
        if ends <= now:
            ends, guesses = now + WINDOW_S, 0
        self._places[place] = (ends, guesses + 1)
        while len(self._places) > MOST_PLACES:
            self._places.popitem(last=False)
        return guesses + 1 == MOST_GUESSES

    def wait_s(self, place: str, now: float) -> float:
        """Seconds until `place` may try again; 0 when it may."""
        ends, guesses = self._places.get(place, (0.0, 0))
        return max(0.0, ends - now) if guesses >= MOST_GUESSES else 0.0


def place_of(client: str) -> str:
    """What counts as one place: an address, or the network of an IPv6 customer, who has a whole /64."""
    try:
        return str(IPv6Network((client, 64), strict=False))
    except ValueError:
        return client
