"""Wrong operator tokens, counted by where they come from, so that guessing is slow and is told.

A proxy speaks for many: behind one on a private network the address it reports counts, so that a stranger
who guesses does not shut the operator out. The header can be forged only by who already is on that network.
"""

from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

MOST_GUESSES = 10  # wrong tokens from one place ...
WINDOW_S = 60.0  # ... in so many seconds; then nothing is compared until they are over
MOST_PLACES = 1024  # remembered; the longest unseen are forgotten
CARRIERS_OWN = ip_network(
    "100.64.0.0/10"
)  # platforms' proxies: not private by the book, yet not the internet


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


def place_of(peer: str, headers: Mapping[str, str]) -> str:
    """Where a request comes from: its address, or what a proxy on a private network says of it."""
    address = _address(peer)
    if address is None or not _is_private(address):
        return _grouped(address) if address else peer
    told = headers.get("x-real-ip") or headers.get("x-forwarded-for", "").rpartition(",")[2]
    behind = _address(told.strip())
    return _grouped(behind or address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    return address.is_private or address in CARRIERS_OWN


def _grouped(address: IPv4Address | IPv6Address) -> str:
    """One IPv6 customer has a whole /64, and would have as many guesses."""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
