"""What others may ask of a live call; what becomes of it is tested with the turns and the registry."""

import asyncio

import pytest

from app.calls.call import Call
from app.calls.leaver import CallLeaver
from app.calls.registry import Ending, LiveCall
from app.conversation.announcement import Announcement
from app.speech.chain import Chain
from tests.calls.test_call import USUAL, means_of, script_of
from tests.standins.phone import Phone
from tests.standins.voice import ToneVoice
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_every_call_has_one_that_tells_what_it_is_doing_and_which_stream_this_is() -> None:
    phone = Phone()
    stream, started = phone.stream()
    async with Chain([ToneVoice()]) as chain:
        call = Call(started, stream, phone, script_of(Announcement("Hello.")), means_of(chain, USUAL))
        live = LiveCall("CA1", "MZ1", "", leaver=call.leaver)

        assert isinstance(live.leaver, CallLeaver)
        assert (live.leaver.doing, live.leaver.streams) == ("listening", 1)


@in_virtual_time
async def test_a_stream_that_twilio_says_is_over_breaks_and_until_then_tells_its_silence() -> None:
    phone = Phone()
    stream, started = phone.stream()
    async with Chain([ToneVoice()]) as chain:
        call = Call(started, stream, phone, script_of(Announcement("Hello.")), means_of(chain, USUAL))
        running = asyncio.create_task(call.run())
        await asyncio.sleep(3)
        assert call.leaver.silent_s == pytest.approx(2, abs=0.1)  # since the mark of a second's "Hello."

        call.leaver.lost()

        assert await running is Ending.STREAM_BROKE
