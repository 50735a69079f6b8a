"""What is written of a call for whoever goes on with it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from app.calls.resume import JUST_NOW_S, Nowhere, Record, Unheard, decode, encode, unheard
from app.conversation.port import CallResumed, PlayPrompt, Say
from app.playout.marks import Line

RECORD = Record(
    call_sid="CA1",
    conversation="script",
    state={"step": "news"},
    unheard=(Unheard("The rest."), Unheard("song.wav", is_text=False)),
    streams=2,
)


def test_a_record_is_read_as_it_was_written() -> None:
    assert decode(encode(RECORD)) == RECORD


@given(st.binary(max_size=60))
def test_what_is_no_record_is_none(garbage: bytes) -> None:
    assert decode(garbage) is None


@pytest.mark.parametrize("written", [b"[" * 100_000, b"\xff", b'{"call_sid": 1}'])
def test_what_is_hardly_json_is_none(written: bytes) -> None:
    assert decode(written) is None


def test_a_record_of_another_version_is_left_alone() -> None:
    assert decode(encode(RECORD).replace(b"{", b'{"version":2,', 1)) is None


def test_what_was_not_heard_is_ordered_again() -> None:
    assert RECORD.resumed(cut_off=True) == CallResumed((Say("The rest."), PlayPrompt("song.wav")), True)


def ending_at(*instants: float) -> Record:
    lines = tuple(Unheard(f"By {at:g}.", heard_by=at) for at in instants)
    return msgspec.structs.replace(RECORD, unheard=lines, heard=("Long ago.",))


def test_what_the_phone_had_played_when_the_stream_was_lost_was_heard_though_no_mark_told() -> None:
    settled = ending_at(100.0, 105.0, 0.0).settled(102.0)

    assert [each.text for each in settled.unheard] == ["By 105.", "By 0."]
    assert settled.heard == ("Long ago.", "By 100.")


def test_what_would_have_ended_just_as_the_stream_was_lost_is_said_again() -> None:
    record = ending_at(100.0)

    assert record.settled(100.0 + JUST_NOW_S / 2) == record
    assert record.settled(100.0 + 2 * JUST_NOW_S).unheard == ()


def test_ready_audio_that_was_played_is_nothing_a_conversation_said() -> None:
    record = msgspec.structs.replace(RECORD, unheard=(Unheard("song.wav", is_text=False, heard_by=1.0),))

    assert (record.settled(9.0).unheard, record.settled(9.0).heard) == ((), ())


def test_of_what_was_taken_back_from_the_phone_nothing_more_is_heard_however_late_somebody_asks() -> None:
    record = ending_at(100.0, 102.4).cut(102.0)

    assert record.settled(200.0).unheard == (Unheard("By 102.4."),)


def test_a_line_is_written_with_the_instant_of_its_last_sound_by_the_walls_clock() -> None:
    played, leaving = Line("A reply.", ends_at=7.0, quiet_ms=250), Line("Another.")

    assert unheard([played, leaving], wall_s=1000.0) == (
        Unheard("A reply.", heard_by=1006.75),
        Unheard("Another."),
    )


def test_fillers_are_not_said_again() -> None:
    lines = [Line("Let me see.", is_reply=False), Line("A reply.", interruptible=False)]

    assert unheard(lines) == (Unheard("A reply.", interruptible=False),)


async def test_nowhere_keeps_nothing() -> None:
    async with Nowhere() as records:
        records.save(RECORD)
        await records.flush()

        assert await records.load("CA1") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"ending": "vanished"},
        {"streams": 0},
        {"streams": -(10**20)},
        {"transfer_to": "<Dial>"},
        {"transfer_to": "+0"},
    ],
    ids=str,
)
def test_threat_21_a_record_that_no_version_wrote_is_none(changes: dict[str, Any]) -> None:
    assert decode(encode(structs.replace(RECORD, **changes))) is None


@pytest.mark.parametrize("number", ["", "+15550100", "sip:desk@example.com"])
def test_every_number_that_a_call_can_be_transferred_to_is_read(number: str) -> None:
    assert decode(encode(structs.replace(RECORD, transfer_to=number, ending="transferred"))) is not None
