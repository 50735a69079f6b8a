"""Roles, proxies, requests that leave the house, and privacy, as settings."""

from ipaddress import ip_network

import pytest

from app.errors import ConfigError
from app.settings import Settings


def test_by_default_nobody_is_believed_and_nothing_private_is_reached() -> None:
    safety = Settings.load({}).safety

    assert (safety.view_token, safety.proxies, safety.outbound_allow) == ((), (), ())
    assert safety.retention_days == 30


def test_lists_are_separated_by_commas() -> None:
    safety = Settings.load(
        {
            "TRUSTED_PROXIES": "10.0.0.7, fd00::/8",
            "OUTBOUND_ALLOW": "hooks.internal,127.0.0.0/8",
            "VIEW_TOKEN": "a,b",
        }
    ).safety

    assert safety.proxies == (ip_network("10.0.0.7/32"), ip_network("fd00::/8"))
    assert safety.outbound_allow == ("hooks.internal", "127.0.0.0/8")
    assert [token.get_secret_value() for token in safety.view_token] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "proxy.internal"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXY_HEADER", "forwarded"),
        ("OUTBOUND_ALLOW", "https://hooks.internal"),
        ("OUTBOUND_ALLOW", "*.internal"),
        ("OUTBOUND_ALLOW", "2130706433"),
        ("UNLOGGED_NUMBERS", "0049301234"),
        ("RETENTION_DAYS", "-1"),
        ("RETENTION_DAYS", "nan"),
    ],
)
def test_what_cannot_be_used_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Settings.load({name: value})


def test_threat_7_a_token_that_would_operate_is_no_viewing_token() -> None:
    with pytest.raises(ConfigError, match="VIEW_TOKEN") as caught:
        Settings.load({"ADMIN_TOKEN": "new,sesame", "VIEW_TOKEN": "looks,sesame"})

    assert "sesame" not in str(caught.value)


def test_a_viewing_token_is_a_secret() -> None:
    settings = Settings.load({"VIEW_TOKEN": "looks"})

    assert "looks" in settings.secrets and "looks" not in repr(settings)


def test_railways_proxies_are_known_unless_the_operator_says_otherwise() -> None:
    railway = {"RAILWAY_PUBLIC_DOMAIN": "voice.example.com"}
    usual = Settings.load(railway).safety
    chosen = Settings.load({**railway, "TRUSTED_PROXIES": "10.0.0.0/8", "TRUSTED_PROXY_HEADER": ""}).safety

    assert (usual.trusted_proxies, usual.proxy_header) == (("100.64.0.0/10",), "x-real-ip")
    assert (chosen.trusted_proxies, chosen.proxy_header) == (("10.0.0.0/8",), "x-real-ip")
