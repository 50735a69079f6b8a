"""What is written of a call for whoever goes on with it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from app.calls.resume import Nowhere, Record, Unheard, decode, encode, unheard
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
