"""Which addresses a request of ours may go to."""

import pytest

from app.observe.reach import Reach

INNER = {
    "this machine": "127.0.0.1",
    "all of this machine": "127.255.255.254",
    "no address": "0.0.0.0",
    "private 10": "10.0.0.1",
    "private 172": "172.31.255.255",
    "private 192": "192.168.1.1",
    "a carrier's own": "100.64.0.1",
    "a cloud's credentials": "169.254.169.254",
    "IETF": "192.0.0.8",
    "a test network": "198.18.0.1",
    "documentation": "203.0.113.9",
    "6to4 relay": "192.88.99.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 this machine": "::1",
    "IPv6 no address": "::",
    "IPv4 mapped": "::ffff:127.0.0.1",
    "IPv4 mapped, in hexadecimal": "::ffff:a9fe:a9fe",
    "IPv4 compatible": "::127.0.0.1",
    "NAT64": "64:ff9b::10.0.0.1",
    "a local NAT64": "64:ff9b:1::1",
    "unique local": "fd00:ec2::254",
    "link local": "fe80::1",
    "link local of an interface": "fe80::1%eth0",
    "IPv6 multicast": "ff02::1",
    "Teredo": "2001:0:7f00:1::1",
    "6to4": "2002:7f00:1::1",
    "IPv6 documentation": "2001:db8::1",
}


@pytest.mark.parametrize("address", INNER.values(), ids=INNER.keys())
def test_threat_11_what_is_not_public_is_refused_with_the_cure(address: str) -> None:
    fault = Reach().fault("https", "hooks.example.com", [address])

    assert "hooks.example.com" in fault and "OUTBOUND_ALLOW=" in fault


@pytest.mark.parametrize(
    "address", ["52.1.2.3", "172.32.0.1", "2606:4700::1111", "::ffff:52.1.2.3", "64:ff9b::3401:203"]
)
def test_what_is_public_is_reached(address: str) -> None:
    assert Reach().fault("https", "hooks.example.com", [address]) == ""


def test_threat_11_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    assert "10.0.0.1" in Reach().fault("https", "hooks.example.com", ["52.1.2.3", "10.0.0.1"])


def test_an_address_without_a_name_is_named_once() -> None:
    assert Reach().fault("https", "::1", ["::1"]) == "::1 is not public (OUTBOUND_ALLOW=::1 allows it)"


@pytest.mark.parametrize("allow", ["10.0.0.0/8", "10.1.2.3", "hooks.internal", "HOOKS.internal"])
def test_what_the_operator_allows_is_reached(allow: str) -> None:
    assert Reach([allow]).fault("https", "Hooks.internal", ["10.1.2.3"]) == ""


def test_an_allowed_name_opens_no_other() -> None:
    reach = Reach(["hooks.internal"])

    assert reach.fault("https", "evil.hooks.internal", ["10.1.2.3"])
    assert reach.fault("https", "hooks.internal.example.com", ["10.1.2.3"])


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "fe80::1", "224.0.0.1"]
)
def test_threat_11_an_allowed_name_does_not_open_a_clouds_credentials(address: str) -> None:
    assert Reach(["hooks.internal"]).fault("https", "hooks.internal", [address])
    assert Reach(["169.254.169.254"]).fault("https", "hooks.internal", ["169.254.169.254"]) == ""


def test_threat_11_http_is_for_this_machine_only_and_only_when_allowed() -> None:
    here = Reach(["127.0.0.0/8", "::1", "10.0.0.0/8"])

    assert here.fault("http", "localhost", ["127.0.0.1", "::1"]) == ""
    assert here.fault("http", "::ffff:127.0.0.1", ["::ffff:127.0.0.1"]) == ""
    assert "https" in here.fault("http", "hooks.internal", ["10.1.2.3"])
    assert "https" in here.fault("http", "hooks.example.com", ["52.1.2.3"])
    assert "https" in here.fault("http", "both", ["127.0.0.1", "52.1.2.3"])
    assert Reach().fault("http", "localhost", ["127.0.0.1"])
