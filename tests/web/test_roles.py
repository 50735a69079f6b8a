"""How a request becomes a role."""

import hmac
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from app.web.parts import Locks
from app.web.roles import Role, role_of
from tests.web.conftest import locked

OUTSIDE = "203.0.113.9"


def asking(bearing: str = "", *, peer: str = OUTSIDE, **headers: str) -> HTTPConnection:
    given = {"host": "localhost", **headers} | ({"authorization": bearing} if bearing else {})
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    return HTTPConnection({"type": "http", "headers": encoded, "client": (peer, 50000)})


def both(**changes: Any) -> Locks:
    return locked(admin_tokens=("operates", "old"), view_tokens=("views", "viewed"), **changes)


@pytest.mark.parametrize(
    ("bearing", "role"),
    [
        ("Bearer operates", Role.OPERATE),
        ("Bearer old", Role.OPERATE),
        ("bearer  views ", Role.VIEW),
        ("Bearer viewed", Role.VIEW),
        ("Bearer view", None),
        ("Bearer viewsx", None),
        ("Bearer ", None),
        ("Basic operates", None),
        ("operates", None),
        ("Bearer ünicode", None),
        ("", None),
    ],
)
def test_threat_7_a_token_is_a_role(bearing: str, role: Role | None) -> None:
    assert role_of(asking(bearing), both()) is role


def test_no_token_is_no_role_where_none_is_set() -> None:
    assert role_of(asking("Bearer "), locked()) is None
    assert role_of(asking("Bearer x"), locked()) is None


def test_this_machine_operates_only_as_long_as_there_is_no_token_for_it() -> None:
    here = asking(peer="127.0.0.1")

    assert role_of(here, locked()) is Role.OPERATE
    assert role_of(here, locked(view_tokens=("views",))) is Role.OPERATE
    assert role_of(here, locked(trusts_this_machine=False)) is None
    assert role_of(here, both()) is None
    assert role_of(asking("Bearer views", peer="127.0.0.1"), both()) is Role.VIEW


def test_a_token_to_look_works_where_operating_is_closed() -> None:
    assert role_of(asking("Bearer views"), locked(view_tokens=("views",))) is Role.VIEW


def test_threat_7_a_token_is_compared_with_all_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    exact = hmac.compare_digest

    def noting(given: bytes, token: bytes) -> bool:
        compared.append(token)
        return exact(given, token)

    monkeypatch.setattr(hmac, "compare_digest", noting)
    role_of(asking("Bearer operates"), both())

    assert compared == [b"operates", b"old", b"views", b"viewed"]


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
def test_what_came_through_a_proxy_is_not_this_machine(header: str) -> None:
    assert role_of(asking(peer="127.0.0.1", **{header: "127.0.0.1"}), locked()) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_threat_16_a_page_from_elsewhere_is_not_this_machine(headers: dict[str, str]) -> None:
    here = {"host": "localhost:8080", "peer": "127.0.0.1"}
    assert role_of(asking(**here, **headers), locked(admin_tokens=())) is None
    assert (
        role_of(asking("Bearer operates", **here, **headers), both()) is Role.OPERATE
    )  # no browser adds that


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:8080", "sec-fetch-site": "same-origin"},
        {"origin": "http://LOCALHOST:8080"},
        {"sec-fetch-site": "none"},
    ],
    ids=str,
)
def test_a_program_and_our_own_page_are_this_machine(headers: dict[str, str]) -> None:
    asked = asking(host="localhost:8080", peer="127.0.0.1", **headers)
    assert role_of(asked, locked(admin_tokens=())) is Role.OPERATE
