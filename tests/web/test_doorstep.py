"""Who stands at the door, and who has to go, with literal times."""

import pytest

from app.log import Event, attach, configure
from app.web.doorstep import MOST_PER_ADDRESS, TOLD_EVERY_S, Doorstep

FAR = "52.1.2.3"


class Visitor:
    """A guest that knows whether it was dropped."""

    def __init__(self) -> None:
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


def test_when_it_is_crowded_those_who_stand_longest_go() -> None:
    doorstep = Doorstep(most=3)
    slow = [Visitor() for _ in range(3)]
    for guest in slow:
        doorstep.come(guest, 0.0)
    webhook = Visitor()
    doorstep.come(webhook, 1.0)

    assert [guest.dropped for guest in slow] == [True, False, False]
    assert not webhook.dropped and len(doorstep) == 3


def test_whose_request_is_here_is_not_dropped_any_more() -> None:
    doorstep = Doorstep(most=1)
    served, slow = Visitor(), Visitor()
    doorstep.come(served, 0.0)
    assert doorstep.leave(served)
    assert not doorstep.leave(served)
    doorstep.come(slow, 1.0)
    doorstep.too_slow(served, 20.0)

    assert not served.dropped and not slow.dropped


def test_one_address_keeps_nobody_else_out() -> None:
    doorstep = Doorstep(most=MOST_PER_ADDRESS + 1)
    flood = [Visitor() for _ in range(MOST_PER_ADDRESS + 5)]
    for guest in flood:
        doorstep.come(guest, 0.0, FAR)
    other = Visitor()
    doorstep.come(other, 0.0, "52.1.2.4")

    assert [guest.dropped for guest in flood] == [False] * MOST_PER_ADDRESS + [True] * 5
    assert not other.dropped
    doorstep.leave(flood[0])
    again = Visitor()
    doorstep.come(again, 0.0, FAR)
    assert not again.dropped


def test_a_proxy_of_our_own_network_stands_for_many() -> None:
    doorstep = Doorstep(most=500)
    crowd = [Visitor() for _ in range(400)]
    for guest in crowd:
        doorstep.come(guest, 0.0, "10.0.0.2")

    assert not any(guest.dropped for guest in crowd)


def test_a_crowd_is_told_once_a_minute_with_its_figures() -> None:
    told: list[Event] = []
    configure(level="info", style="json")
    detach = attach(told.append)
    doorstep = Doorstep(most=1)
    for number in range(100):
        doorstep.come(Visitor(), number / 100)
    doorstep.come(Visitor(), TOLD_EVERY_S + 1.0)
    detach()

    assert [(event["event"], event["dropped_crowd"]) for event in told] == [
        ("door.crowded", 1),
        ("door.crowded", 100),
    ]
    assert doorstep.figures() == {
        "waiting": 1,
        "most": 1,
        "dropped_slow": 0,
        "dropped_crowd": 100,
        "dropped_address": 0,
    }


def test_three_quarters_of_the_open_files_are_left_to_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _which: (1024, 4096))

    assert Doorstep().figures()["most"] == 256
