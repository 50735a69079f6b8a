"""Media sockets that have not said yet whose call they are: few in all, and few from one address.

A real one says so within milliseconds, so only strangers pile up here.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network

from app.errors import AtCapacity

MOST_PENDING = 64  # in all
MOST_PER_ADDRESS = 16  # many calls of one moment may come from one of Twilio's machines


class Pending:
    """Counts them. `refused` is for the operator: how many did not even get here."""

    def __init__(self) -> None:
        self._by_address: Counter[str] = Counter()
        self._count = 0
        self.refused = 0

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def one_of(self, address: str) -> Iterator[None]:
        """Count a socket for the length of the block; an empty address is bounded by the total alone.

        Raises:
            AtCapacity: there are too many already.
        """
        if self._count >= MOST_PENDING or (address and self._by_address[address] >= MOST_PER_ADDRESS):
            self.refused += 1
            raise AtCapacity(f"{self._count} sockets without a start")
        self._count += 1
        self._by_address[address] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]


def counted_as(client: str) -> str:
    """What a bound by address counts: an address of the internet, or the network of an IPv6 customer.

    Empty for a machine of our own network: it may be a platform's proxy, through which everybody comes.
    """
    try:
        address = ip_address(client)
    except ValueError:
        return ""
    if not address.is_global:
        return ""
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else client
