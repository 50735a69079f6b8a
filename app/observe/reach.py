"""Which addresses a request of ours may go to: the public internet, and what the operator allows besides.

A name is judged by every address it leads to. Pure: addresses come in, and a fault with its cure comes out.

Source: https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*given: str) -> tuple[Network, ...]:
    return tuple(ip_network(one) for one in given)


# The standard library's own `is_global` has changed from one Python to the next: this is the same on all.
NOT_PUBLIC = _networks(
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),  # Teredo and 6to4 hide an IPv4 address
)
PUBLIC_IPV6 = IPv6Network("2000::/3")
LOOPBACK = _networks("127.0.0.0/8", "::1/128")
# Clouds give away their machines' credentials there: a host's name alone never opens these.
NEVER_BY_NAME = _networks("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "::/128", "fe80::/10", "ff00::/8")
CARRIED = _networks("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address


class Reach:
    """What may be reached; `allow` are hosts, addresses and networks of the operator's."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._allowed: list[Network] = []
        for one in allow:
            try:
                self._allowed.append(ip_network(one))
            except ValueError:
                self._hosts.add(one.lower())

    def fault(self, scheme: str, host: str, addresses: Sequence[str]) -> str:
        """Why nothing may be sent to `host`, which leads to `addresses`, and the cure; empty when it may."""
        known = [plain(one) for one in addresses]
        for address in known:
            if not (_is_public(address) or self._allows(host, address)):
                met = host if host == str(address) else f"{host} leads to {address}, which"
                return f"{met} is not public (OUTBOUND_ALLOW={address} allows it)"
        if scheme != "https" and not all(_within(address, LOOPBACK) for address in known):
            return f"{host} is asked by {scheme}: an address elsewhere must be https"
        return ""

    def _allows(self, host: str, address: Address) -> bool:
        named = host.lower() in self._hosts and not _within(address, NEVER_BY_NAME)
        return named or _within(address, self._allowed)


def plain(text: str) -> Address:
    """The address that is really asked: the IPv4 one that an IPv6 one carries.

    Raises:
        ValueError: it is none.
    """
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if _within(address, CARRIED) else address


def _is_public(address: Address) -> bool:
    outside = isinstance(address, IPv6Address) and address not in PUBLIC_IPV6
    return not (outside or _within(address, NOT_PUBLIC))


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
