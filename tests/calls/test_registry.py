"""Live calls and how the recent ones ended."""

import pytest

from app.calls.registry import REMEMBERED, Departed, Ending, LiveCall, Registry


def test_a_call_is_live_until_it_ends_and_its_ending_is_kept() -> None:
    registry = Registry()
    registry.began(LiveCall("CA1", "MZ1", "2026-01-01T00:00:00+00:00"))

    assert [call.call_sid for call in registry.live] == ["CA1"]
    assert registry.ending_of("CA1") is None
    registry.ended("CA1", Departed(Ending.CALLER_HUNG_UP))

    assert registry.live == []
    assert registry.ending_of("CA1") is Ending.CALLER_HUNG_UP


def test_a_live_call_is_told_in_values_that_json_holds_with_what_it_does() -> None:
    class Talking:
        doing, streams, silent_s = "thinking", 2, 0.0

        def leave(self) -> None: ...

        def part(self, notice: str) -> None: ...

        def give_way(self) -> None: ...

        def lost(self) -> None: ...

    told = LiveCall("CA1", "MZ1", "2026-01-01T00:00:00+00:00", Talking()).told()

    assert (told["call_sid"], told["state"], told["streams"]) == ("CA1", "thinking", 2)
    assert LiveCall("CA1", "MZ1", "").told()["state"] == "unknown"


def test_old_endings_are_forgotten() -> None:
    registry = Registry()
    for number in range(REMEMBERED + 1):
        registry.ended(f"CA{number}", Departed(Ending.FINISHED))

    assert registry.ending_of("CA0") is None
    assert registry.ending_of("CA1") is Ending.FINISHED


def test_a_transfer_is_kept_with_its_number() -> None:
    registry = Registry()
    registry.ended("CA1", Departed(Ending.TRANSFERRED, "+15550123"))

    assert registry.transfer_of("CA1") == "+15550123"
    assert registry.transfer_of("CA2") == ""


@pytest.mark.parametrize("ending", list(Ending))
def test_only_a_hang_up_by_either_side_is_normal(ending: Ending) -> None:
    assert ending.is_normal is (ending in (Ending.CALLER_HUNG_UP, Ending.FINISHED))


class Stream:
    """A call that knows whether it was told to give way."""

    def __init__(self) -> None:
        self.gave_way = 0
        self.doing, self.streams, self.silent_s = "listening", 1, 0.0

    def leave(self) -> None:
        raise AssertionError

    def part(self, notice: str) -> None:
        raise AssertionError(notice)

    def give_way(self) -> None:
        self.gave_way += 1

    def lost(self) -> None:
        raise AssertionError


def test_32_an_older_stream_gives_way_to_a_newer_one_of_the_same_call_and_ends_nothing_of_it() -> None:
    registry, older, newer = Registry(), Stream(), Stream()
    registry.began(LiveCall("CA1", "MZ1", "", leaver=older))
    registry.began(LiveCall("CA1", "MZ2", "", leaver=newer))
    registry.ended("CA1", Departed(Ending.TAKEN_OVER))

    assert (older.gave_way, newer.gave_way) == (1, 0)
    assert [call.stream_sid for call in registry.live] == ["MZ2"]
    assert registry.ending_of("CA1") is None
    registry.ended("CA1", Departed(Ending.FINISHED))
    assert registry.live == []
