"""Who may look without operating, whom we believe and reach, and how long what callers leave is kept."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import ClassVar, Literal

from pydantic import SecretStr, field_validator

from app.settings.section import Section, env, lower, split, telephone_numbers
from app.settings.server import ServerSettings

HOST_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
RAILWAYS_PROXIES = {"TRUSTED_PROXIES": "100.64.0.0/10", "TRUSTED_PROXY_HEADER": "x-real-ip"}
"""What holds on Railway unless the operator says otherwise."""


class SafetySettings(Section):
    """Roles, proxies, requests that leave the house, and privacy."""

    title: ClassVar[str] = "Safety and privacy"

    view_token: tuple[SecretStr, ...] = env(
        "VIEW_TOKEN",
        default=(),
        doc="opens the operator paths that only show something, as a dashboard needs; several, comma "
        "separated, during a rotation",
    )
    trusted_proxies: tuple[str, ...] = env(
        "TRUSTED_PROXIES",
        default=(),
        doc="addresses or networks of the proxies in front of us, comma separated; only they are believed "
        "when they say whose request it is. On Railway: 100.64.0.0/10",
    )
    proxy_header: Literal["x-forwarded-for", "x-real-ip"] = env(
        "TRUSTED_PROXY_HEADER",
        default="x-forwarded-for",
        doc="the one header in which they are believed: the one they write themselves. On Railway: x-real-ip",
    )
    outbound_allow: tuple[str, ...] = env(
        "OUTBOUND_ALLOW",
        default=(),
        doc="hosts, addresses or networks that ALARM_WEBHOOK_URL may lead to although they are private; "
        "`127.0.0.0/8` for one on this machine, which then need not be https",
    )
    retention_days: float = env(
        "RETENTION_DAYS",
        default=30.0,
        ge=0,
        le=3650,
        doc="days until messages, wishes to be called back and events in memory are deleted. "
        "0: nothing outlives its call, so callers in line are offered neither",
    )

    unlogged: tuple[str, ...] = env(
        "UNLOGGED_NUMBERS",
        default=(),
        doc="calls from or to these, such as `+15550100, +4420*`, are logged without words and numbers also "
        "with LOG_PII=1",
    )

    _split = field_validator("view_token", "trusted_proxies", "outbound_allow", "unlogged", mode="before")(
        split
    )
    _lower = field_validator("proxy_header", mode="before")(lower)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for one in given:
            if not _network(one):
                raise ValueError(f"{one!r}, expected an address or a network such as 10.0.0.0/8")
        return given

    @field_validator("outbound_allow")
    @classmethod
    def _places(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for one in given:
            if not (_network(one) or HOST_NAME.fullmatch(one.lower())):
                raise ValueError(f"{one!r}, expected a host, an address or a network such as 10.0.0.0/8")
        return given

    _numbers = field_validator("unlogged")(telephone_numbers)

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of the proxies that are believed."""
        return tuple(ip_network(one) for one in self.trusted_proxies)

    def faults(self, server: ServerSettings) -> list[str]:
        """A token that is to show only, and would operate."""
        if set(self.secrets()) & {token.get_secret_value() for token in server.admin_token}:
            return ["VIEW_TOKEN: one of its tokens is in ADMIN_TOKEN too, so it would operate; draw another"]
        return []


def _network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True
