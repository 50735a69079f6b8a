"""What is written of a call for whoever goes on with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
