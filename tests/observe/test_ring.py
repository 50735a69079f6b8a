"""The last events, and live readers of them."""

from datetime import UTC, datetime

import pytest

from app.log import Event
from app.observe.ring import FOLLOWER_BACKLOG, Filter, Ring


def said(name: str, **fields: object) -> Event:
    return {"event": name, "level": "info", "timestamp": "2026-01-01T00:00:00Z", **fields}


def at(hour: int) -> Event:
    return {"event": f"room.fact{hour}", "level": "info", "timestamp": f"2026-01-01T{hour:02}:00:00.000001Z"}


def names(ring: Ring, wanted: Filter, limit: int = 100) -> list[str]:
    return [event["event"] for event in ring.last(limit, wanted)]


def test_the_newest_come_last_and_the_oldest_are_dropped() -> None:
    ring = Ring(kept=3)
    for number in range(5):
        ring.read(said(f"room.fact{number}"))

    assert names(ring, Filter()) == ["room.fact2", "room.fact3", "room.fact4"]
    assert names(ring, Filter(), limit=2) == ["room.fact3", "room.fact4"]


def test_threat_19_events_that_are_older_than_they_may_be_are_forgotten() -> None:
    ring = Ring()
    for hour in range(4):
        ring.read(at(hour))

    ring.forget_before(datetime(2026, 1, 1, 2, tzinfo=UTC))

    assert names(ring, Filter()) == ["room.fact2", "room.fact3"]
    ring.forget_before(datetime(2027, 1, 1, tzinfo=UTC))
    assert names(ring, Filter()) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(call_sid="CA1"), ["speech.first_byte"]),
        (Filter(level="warning"), ["provider.failed"]),
        (Filter(event="speech"), ["speech.first_byte"]),
        (Filter(event="speech.first"), []),
        (Filter(since="2026-01-01T00:00:01Z"), ["call.ended"]),
        (Filter(audio_path=True), ["speech.first_byte", "provider.failed"]),
    ],
)
def test_each_filter_lets_through_what_it_names(wanted: Filter, found: list[str]) -> None:
    ring = Ring()
    ring.read(said("speech.first_byte", call_sid="CA1"))
    ring.read(said("provider.failed", level="error"))
    ring.read(said("call.ended", timestamp="2026-01-01T00:00:02Z"))

    assert names(ring, wanted) == found


async def test_a_follower_gets_what_it_wants_and_nothing_after_it_left() -> None:
    ring = Ring()
    with ring.follow(Filter(event="call")) as follower:
        ring.read(said("call.ended"))
        ring.read(said("speech.first_byte"))
        assert [event["event"] for _, event in follower.waiting] == ["call.ended"]
        assert follower.bell.is_set()

    ring.read(said("call.ended"))

    assert len(follower.waiting) == 1


async def test_a_slow_follower_loses_the_oldest_and_never_grows() -> None:
    ring = Ring()
    with ring.follow(Filter()) as follower:
        for number in range(FOLLOWER_BACKLOG + 10):
            ring.read(said(f"room.fact{number}"))

    assert len(follower.waiting) == FOLLOWER_BACKLOG
    assert follower.waiting[-1][1]["event"] == f"room.fact{FOLLOWER_BACKLOG + 9}"


def test_a_reader_that_was_away_gets_what_it_missed() -> None:
    ring = Ring()
    for number in range(4):
        ring.read(said(f"room.fact{number}"))

    assert [n for n, _ in ring.after(2, Filter())] == [3, 4]
