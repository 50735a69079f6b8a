"""Whole calls under virtual time: from `start` to the end, with a phone that plays what it is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from app import clock
from app.calls.call import TOLERATED_FAULTS, Call
from app.calls.ear_tick import EarTick
from app.calls.means import Limits, Means
from app.calls.registry import Ending
from app.calls.resume import Nowhere, Record
from app.calls.script import Script
from app.calls.vigil import Patience
from app.conversation.announcement import Announcement
from app.conversation.immediate import Immediate
from app.conversation.port import Conversation, Fact, KeysEntered, Order, Say
from app.conversation.stateless import Stateless
from app.errors import Failure, ProviderError
from app.hearing.ear import Ears
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.log import Event, attach, configure
from app.speech.chain import Chain
from app.speech.trouble import trouble
from tests.standins.phone import Phone
from tests.standins.voice import ToneVoice, tone
from tests.virtual_time import in_virtual_time, run

UNWATCHED = Patience(0, 0)  # these phones send no audio
USUAL = Limits(silence=UNWATCHED)
Deed = Callable[[Phone], Awaitable[None]]


async def hang_up_after(phone: Phone, seconds: float) -> None:
    await asyncio.sleep(seconds)
    phone.hang_up()


def script_of(conversation: Conversation) -> Script:
    return Script(Immediate(conversation), listens=not isinstance(conversation, Announcement))


def means_of(chain: Chain, limits: Limits) -> Means:
    return Means(voice=chain, ears=EarTick(Ears(VadBank(Silero.load()))), limits=limits)


def play(
    conversation: Conversation, *voices: ToneVoice, deed: Deed | None = None, limits: Limits = USUAL
) -> tuple[Ending, Phone, float]:
    """One call to its end; gives how it ended, the phone, and the seconds it took."""

    async def whole() -> tuple[Ending, Phone, float]:
        phone = Phone()
        stream, started = phone.stream()
        began = clock.now()
        async with Chain(voices) as chain, asyncio.TaskGroup() as group:
            if deed is not None:
                group.create_task(deed(phone))  # type: ignore[arg-type]
            call = Call(started, stream, phone, script_of(conversation), means_of(chain, limits))
            ending = await call.run()
        return ending, phone, clock.now() - began

    return run(whole())


def test_the_greeting_is_heard_whole_and_marked_and_the_call_goes_on_until_the_caller_hangs_up() -> None:
    ending, phone, lasted = play(
        Announcement("Hello there. Welcome."), ToneVoice(), deed=lambda phone: hang_up_after(phone, 30)
    )

    assert ending is Ending.CALLER_HUNG_UP
    assert phone.heard == tone(440, 1.0) * 2
    assert phone.names() == ["media", "mark", "media", "mark"]
    assert lasted == pytest.approx(30)


def test_a_goodbye_is_heard_to_its_end_before_the_call_is_ended() -> None:
    ending, phone, lasted = play(Announcement("Goodbye.", then_hang_up=True), ToneVoice(seconds=3.0))

    assert ending is Ending.FINISHED
    assert phone.heard == tone(440, 3.0)
    assert lasted == pytest.approx(3.0, abs=0.05)


def test_marks_that_never_come_back_do_not_hold_the_line_for_ever() -> None:
    async def whole() -> tuple[Ending, float]:
        phone = Phone(returns_marks=False)
        stream, started = phone.stream()
        conversation = Announcement("Goodbye.", then_hang_up=True)
        async with Chain([ToneVoice()]) as chain:
            call = Call(started, stream, phone, script_of(conversation), means_of(chain, USUAL))
            return await call.run(), clock.now()

    ending, _ = run(whole())
    assert ending is Ending.FINISHED


def test_first_audio_leaves_as_soon_as_it_is_made_and_the_rest_on_time() -> None:
    seen: list[Event] = []
    configure(level="info", style="json")
    detach = attach(seen.append)
    try:
        play(
            Announcement("Hello."),
            ToneVoice(seconds=5.0, delay_s=0.2),
            deed=lambda phone: hang_up_after(phone, 10),
        )
    finally:
        detach()

    (ended,) = [event for event in seen if event["event"] == "call.ended"]
    assert ended["first_audio_ms"] == 200
    assert ended["underruns"] == 0
    assert (ended["sentences_heard"], ended["sentences_unheard"]) == (1, 0)
    assert ended["reason"] == "caller_hung_up"


def test_a_voice_slower_than_speech_is_an_underrun_and_is_told() -> None:
    seen: list[Event] = []
    configure(level="info", style="json")
    detach = attach(seen.append)
    try:
        # Pieces of 125 ms every 500 ms: the phone falls silent between them.
        play(
            Announcement("Hello."),
            ToneVoice(seconds=1.0, gap_s=0.5),
            deed=lambda phone: hang_up_after(phone, 10),
        )
    finally:
        detach()

    gaps = [event["gap_ms"] for event in seen if event["event"] == "playout.underrun"]
    assert len(gaps) == 7
    assert all(300 < gap < 400 for gap in gaps)


def test_a_hang_up_in_mid_sentence_stops_the_voice_at_once() -> None:
    voice = ToneVoice(seconds=60.0, gap_s=0.05)
    ending, phone, lasted = play(
        Announcement("A long sentence."), voice, deed=lambda phone: hang_up_after(phone, 2.0)
    )

    assert ending is Ending.CALLER_HUNG_UP
    assert voice.speaking == 0
    assert lasted == pytest.approx(2.0)
    assert len(phone.heard) < 8000 * 3


def test_a_hang_up_between_two_messages_of_one_release_ends_the_call_as_any_other() -> None:
    async def hang_up_on_a_slow_line(phone: Phone) -> None:
        await asyncio.sleep(1.0)
        phone.reads.clear()
        await asyncio.sleep(0.5)
        phone.hang_up()
        phone.reads.set()
        await asyncio.sleep(0.1)

    ending, phone, _ = play(Announcement("Hello."), ToneVoice(seconds=5.0), deed=hang_up_on_a_slow_line)

    assert ending is Ending.CALLER_HUNG_UP
    assert len(phone.heard) < 8000 * 1.6


def test_a_phone_that_vanishes_without_stop_is_a_broken_stream() -> None:
    async def vanish(phone: Phone) -> None:
        await asyncio.sleep(0.5)
        phone.vanish()

    assert play(Announcement("Hello."), ToneVoice(), deed=vanish)[0] is Ending.STREAM_BROKE


class Kept(Nowhere):
    """The last record of the call, kept in memory."""

    last: Record | None = None

    def save(self, record: Record) -> None:
        self.last = record


@in_virtual_time
async def test_32_a_call_that_gives_way_ends_at_once_and_leaves_the_record_to_the_newer_stream() -> None:
    phone, kept = Phone(), Kept()
    stream, started = phone.stream()
    async with Chain([ToneVoice(seconds=9.0)]) as chain, asyncio.TaskGroup() as group:
        means = replace(means_of(chain, USUAL), records=kept)
        call = Call(started, stream, phone, script_of(Announcement("Hello.")), means)
        over = group.create_task(call.run())
        await asyncio.sleep(1.0)
        began = clock.now()
        call.leaver.give_way()
        assert await over is Ending.TAKEN_OVER

    assert clock.now() == pytest.approx(began)
    assert kept.last is not None and kept.last.ending == ""


def test_the_longest_call_ends_itself() -> None:
    ending, _, lasted = play(
        Announcement("Hello."), ToneVoice(), limits=Limits(session_timeout_s=20.0, silence=UNWATCHED)
    )

    assert ending is Ending.SESSION_TIMEOUT
    assert lasted == pytest.approx(20.0)


def test_a_failing_voice_is_replaced_by_the_next_before_the_caller_notices() -> None:
    broken = ToneVoice(name="broken", failure=ProviderError("broken", Failure.AUTH))
    ending, phone, _ = play(
        Announcement("Hello."), broken, ToneVoice(hertz=600), deed=lambda phone: hang_up_after(phone, 5)
    )

    assert ending is Ending.CALLER_HUNG_UP
    assert phone.heard == tone(600, 1.0)


def test_without_any_voice_the_call_ends_so_that_the_network_can_apologise() -> None:
    broken = ToneVoice(failure=ProviderError("tone", Failure.QUOTA))
    ending, phone, lasted = play(Announcement("Hello. More. And more."), broken)

    assert ending is Ending.SPEECH_FAILED
    assert phone.heard == trouble()  # once, and heard to its end
    assert lasted < 5


def test_a_voice_that_breaks_in_mid_sentence_costs_the_rest_of_it_and_nothing_else() -> None:
    broken = ToneVoice(name="broken", failure=ProviderError("broken", Failure.NETWORK), fail_after=3)
    ending, phone, _ = play(Announcement("One. Two."), broken, deed=lambda phone: hang_up_after(phone, 5))

    assert ending is Ending.CALLER_HUNG_UP
    assert broken.said == ["One. ", "Two."]
    # Three pieces of 1000 bytes are 18 whole frames, and the rest of a frame that never came.
    assert len(phone.heard) == 2 * 18 * 160


def test_some_broken_messages_cost_nothing_and_too_many_the_call() -> None:
    async def garble(phone: Phone, times: int) -> None:
        for _ in range(times):
            phone.say(event="media")
        await asyncio.sleep(1)
        phone.hang_up()

    few = play(Announcement("Hello."), ToneVoice(), deed=lambda phone: garble(phone, TOLERATED_FAULTS - 1))
    many = play(Announcement("Hello."), ToneVoice(), deed=lambda phone: garble(phone, TOLERATED_FAULTS))

    assert (few[0], many[0]) == (Ending.CALLER_HUNG_UP, Ending.PROTOCOL_BROKEN)


def test_keys_reach_the_conversation_in_order() -> None:
    class Repeater(Stateless):
        """Says each answer by keys."""

        def handle(self, fact: Fact) -> list[Order]:
            return [Say(fact.digits)] if isinstance(fact, KeysEntered) else []

    async def press(phone: Phone) -> None:
        for digit in "482":
            phone.say(event="dtmf", dtmf={"digit": digit, "track": "inbound_track"})
            await asyncio.sleep(1)
        await hang_up_after(phone, 5)

    voice = ToneVoice(seconds=0.1)
    play(Repeater(), voice, deed=press)

    assert voice.said == ["4", "8", "2"]


def test_a_bug_in_a_conversation_ends_this_call_loudly() -> None:
    class Broken(Stateless):
        """Raises at the first key."""

        def handle(self, fact: Fact) -> list[Order]:
            if isinstance(fact, KeysEntered):
                raise ZeroDivisionError
            return []

    async def press(phone: Phone) -> None:
        phone.say(event="dtmf", dtmf={"digit": "1"})

    with pytest.raises(ExceptionGroup) as caught:
        play(Broken(), ToneVoice(), deed=press)

    assert caught.group_contains(ZeroDivisionError)


def test_a_phone_that_does_not_read_bounds_what_is_kept_for_it() -> None:
    async def stall(phone: Phone) -> None:
        phone.reads.clear()
        await asyncio.sleep(600)
        phone.reads.set()
        phone.hang_up()

    voice = ToneVoice(seconds=300.0)
    play(Announcement("Hello."), voice, deed=stall)

    assert voice.speaking == 0
