"""Whose request it is, and whom we believe about it."""

from ipaddress import ip_network

import pytest
from starlette.datastructures import Headers

from app.web.proxies import Proxies, address_of

PINNED = Proxies([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
REAL_IP = Proxies([ip_network("10.0.0.0/8")], header="x-real-ip")


def lines(*values: str, name: str = "x-forwarded-for") -> Headers:
    return Headers(raw=[(name.encode(), value.encode()) for value in values])


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("52.1.2.3", ["34.5.6.7"], "52.1.2.3"),
        ("10.0.0.2", ["34.5.6.7"], "34.5.6.7"),
        ("10.0.0.2", ["127.0.0.1, 6.6.6.6, 34.5.6.7"], "34.5.6.7"),
        ("10.0.0.2", ["6.6.6.6, 34.5.6.7, 10.0.0.9"], "34.5.6.7"),
        ("10.0.0.2", ["6.6.6.6", "34.5.6.7"], "34.5.6.7"),
        ("10.0.0.2", ["34.5.6.7", "6.6.6.6, 10.0.0.9"], "6.6.6.6"),
        ("10.0.0.2", ["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
        ("10.0.0.2", ["34.5.6.7, garbage"], "10.0.0.2"),
        ("10.0.0.2", ["34.5.6.7, unknown, 10.0.0.9"], "10.0.0.9"),
        ("10.0.0.2", ["34.5.6.7, "], "10.0.0.2"),
        ("10.0.0.2", [], "10.0.0.2"),
        ("10.0.0.2", ["34.5.6.7:4711"], "34.5.6.7"),
        ("10.0.0.2", ["[2a00:1::7]:4711"], "2a00:1::7"),
        ("::ffff:10.0.0.2", ["::ffff:34.5.6.7"], "34.5.6.7"),
        ("fd12::3", ["34.5.6.7"], "34.5.6.7"),
        ("testclient", ["34.5.6.7"], "testclient"),
    ],
    ids=[
        "a stranger's own word",
        "the proxy's word",
        "what the stranger wrote before it",
        "behind two proxies",
        "a stranger's line before the proxy's",
        "the last untrusted hop, over several lines",
        "nobody but proxies",
        "garbage of the last hop",
        "a proxy that does not know",
        "an empty hop",
        "no header",
        "with a port",
        "IPv6 with a port",
        "IPv4 on a socket for both",
        "a proxy with IPv6",
        "no address",
    ],
)
def test_threat_6_a_chain_is_believed_as_far_as_our_proxies_wrote_it(
    peer: str, said: list[str], client: str
) -> None:
    assert PINNED.client_of(peer, lines(*said)) == client


def test_threat_6_nobody_is_believed_by_default() -> None:
    assert Proxies().client_of("10.0.0.2", lines("34.5.6.7")) == "10.0.0.2"


@pytest.mark.parametrize("name", ["x-real-ip", "forwarded", "x-client-ip", "cf-connecting-ip"])
def test_threat_6_a_header_that_our_proxies_do_not_write_is_the_strangers(name: str) -> None:
    assert PINNED.client_of("10.0.0.2", lines("6.6.6.6", name=name)) == "10.0.0.2"
    assert PINNED.client_of("10.0.0.2", lines("for=6.6.6.6", name=name)) == "10.0.0.2"


def test_threat_6_one_real_address_is_believed_and_two_are_not() -> None:
    assert REAL_IP.client_of("10.0.0.2", lines("34.5.6.7", name="x-real-ip")) == "34.5.6.7"
    assert REAL_IP.client_of("10.0.0.2", lines("6.6.6.6", "34.5.6.7", name="x-real-ip")) == "10.0.0.2"
    assert REAL_IP.client_of("10.0.0.2", lines("6.6.6.6")) == "10.0.0.2"


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "[", "999.1.1.1", "2130706433"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert address_of(text) is None
