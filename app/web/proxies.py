"""Where a request comes from, when proxies stand in between: they are believed by their address alone.

A header is what anybody can write. One is believed of a peer in the operator's networks, in the one header
that the operator's proxies write, and only as far as the chain in it was written by such proxies.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers

Network = IPv4Network | IPv6Network


class Proxies:
    """The proxies that are believed.

    Args:
        networks: their addresses.
        header: `x-forwarded-for`, to which each proxy adds whom it was asked by, or `x-real-ip`, which the
            one proxy sets.
    """

    def __init__(self, networks: Sequence[Network] = (), *, header: str = "x-forwarded-for") -> None:
        self._networks = tuple(networks)
        self._header = header

    def client_of(self, peer: str, headers: Headers) -> str:
        """The address that asked: the peer's, or what proxies say of it; canonical where it is an address."""
        address = address_of(peer)
        if address is None:
            return peer
        said = headers.getlist(self._header)
        if self._header != "x-forwarded-for":
            # The proxy sets one: a second is what it was sent, and neither says which.
            said = said if len(said) == 1 else []
        for hop in reversed([hop for line in said for hop in line.split(",")]):
            if not self._trusts(address):
                break
            behind = address_of(hop)
            if behind is None:  # garbage, or a proxy that would not say
                break
            address = behind
        return str(address)

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)


NOBODY = Proxies()


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a hop's words, with or without a port; an IPv4 one whichever way it is written."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
