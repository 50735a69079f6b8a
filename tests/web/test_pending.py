"""Sockets without a start: how many, and how many from one address."""

from contextlib import ExitStack

import pytest

from app.errors import AtCapacity
from app.web.pending import MOST_PENDING, MOST_PER_ADDRESS, Pending, counted_as

HERE, THERE = "52.1.2.3", "52.1.2.4"


def test_one_address_has_its_share_and_leaves_room_for_others() -> None:
    pending = Pending()
    with ExitStack() as stack:
        for _ in range(MOST_PER_ADDRESS):
            stack.enter_context(pending.one_of(HERE))
        with pytest.raises(AtCapacity):
            stack.enter_context(pending.one_of(HERE))
        stack.enter_context(pending.one_of(THERE))

        assert (len(pending), pending.refused) == (MOST_PER_ADDRESS + 1, 1)
    assert len(pending) == 0


def test_all_together_are_bounded_whoever_they_are() -> None:
    pending = Pending()
    with ExitStack() as stack:
        for _ in range(MOST_PENDING):
            stack.enter_context(pending.one_of(""))
        for address in ("", HERE):
            with pytest.raises(AtCapacity):
                stack.enter_context(pending.one_of(address))

    with pending.one_of(HERE):
        assert len(pending) == 1


def test_nothing_of_a_socket_is_remembered_whatever_becomes_of_it() -> None:
    pending = Pending()
    with pytest.raises(ZeroDivisionError), pending.one_of(HERE):
        raise ZeroDivisionError

    assert len(pending) == 0
    with ExitStack() as stack:
        for _ in range(MOST_PER_ADDRESS):
            stack.enter_context(pending.one_of(HERE))


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("52.1.2.3", "52.1.2.3"),
        ("2a00:1:2:3:4:5:6:7", "2a00:1:2:3::/64"),
        ("127.0.0.1", ""),
        ("10.0.0.2", ""),
        ("100.64.0.3", ""),
        ("fd00::1", ""),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_machines_of_our_own_network_may_be_proxies_and_are_not_counted(client: str, counted: str) -> None:
    assert counted_as(client) == counted
