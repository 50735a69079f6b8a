"""What whoever asks may do: by the token they bear, or because they are on this machine."""

import hmac
from enum import IntEnum

from starlette.requests import HTTPConnection

from app.web.parts import Locks

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


class Role(IntEnum):
    """What an operator may do; the greater may do all that the lesser may."""

    VIEW = 1
    OPERATE = 2


def role_of(connection: HTTPConnection, locks: Locks) -> Role | None:
    """The role of whoever asks, None for a stranger: the one place where a request becomes a role."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    operates = _is_among(given.strip(), locks.admin_tokens)
    views = _is_among(given.strip(), locks.view_tokens)
    is_bearer = scheme.lower() == "bearer"
    if is_bearer and operates:
        return Role.OPERATE
    if not locks.admin_tokens and locks.trusts_this_machine and is_this_machine(connection):
        return Role.OPERATE
    return Role.VIEW if is_bearer and views else None


def is_this_machine(connection: HTTPConnection) -> bool:
    """Whether a program on this machine asks for itself, not for somebody behind a tunnel or proxy."""
    host = connection.headers.get("host", "").rsplit("@")[-1]
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    return (
        connection.client is not None
        and connection.client.host in LOOPBACK
        and name in LOOPBACK
        and not any(header in connection.headers for header in FORWARDING)
        and not _is_from_a_page_elsewhere(connection, host)
    )


def _is_from_a_page_elsewhere(connection: HTTPConnection, host: str) -> bool:
    """Whether a browser here asks for a page that it was sent from somewhere else."""
    origin = connection.headers.get("origin")
    site = connection.headers.get("sec-fetch-site", "none")
    return site not in ("none", "same-origin") or (
        origin is not None and origin.partition("://")[2].lower() != host.lower()
    )


def _is_among(given: str, tokens: tuple[str, ...]) -> bool:
    # Every token is compared, so that the time taken does not tell which one nearly matched.
    return any([hmac.compare_digest(given.encode(), token.encode()) for token in tokens])
