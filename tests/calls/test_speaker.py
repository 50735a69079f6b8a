"""Sentences into the player, and falling silent at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.calls.player import Player
from app.calls.registry import Ending
from app.calls.speaker import AHEAD_MS, Speaker
from app.conversation.port import Fact, SpeechFailed
from app.errors import Failure, ProviderError
from app.speech.chain import Chain
from tests.standins.phone import Phone
from tests.standins.voice import ToneVoice
from tests.virtual_time import in_virtual_time


@asynccontextmanager
async def speaking(
    voice: ToneVoice,
) -> AsyncIterator[tuple[Speaker, Phone, list[Fact], "asyncio.Task[Ending]"]]:
    phone = Phone()
    stream, _ = phone.stream()
    player = Player(stream, phone, lead_s=0.4)
    facts: list[Fact] = []
    async with Chain([voice]) as chain, asyncio.TaskGroup() as group:
        speaker = Speaker(chain, player, tell=facts.append)
        playing = group.create_task(player.run())
        spoken = group.create_task(speaker.run())
        yield speaker, phone, facts, spoken
        playing.cancel()
        spoken.cancel()


@in_virtual_time
async def test_sentences_are_said_in_order_and_a_farewell_waits_for_the_last() -> None:
    voice = ToneVoice(seconds=2.0)
    async with speaking(voice) as (speaker, phone, _, spoken):
        speaker.say("One. Two. Three.")
        speaker.say_goodbye()
        ending = await spoken

    assert ending is Ending.FINISHED
    assert [said.strip() for said in voice.said] == ["One.", "Two.", "Three."]
    assert len(phone.heard) == 3 * 16_000


@in_virtual_time
async def test_the_next_sentence_is_made_while_the_last_is_played_but_not_far_ahead() -> None:
    voice = ToneVoice(seconds=8.0)
    async with speaking(voice) as (speaker, _, _, _):
        speaker.say("One. Two. Three. Four.")
        await asyncio.sleep(0.1)
        assert len(voice.said) == 2
        assert AHEAD_MS == 10_000
        await asyncio.sleep(6.5)
        assert len(voice.said) == 3


@in_virtual_time
async def test_an_interruption_in_mid_sentence_empties_every_stage() -> None:
    voice = ToneVoice(seconds=30.0, gap_s=0.1)
    async with speaking(voice) as (speaker, phone, _, _):
        speaker.say("A long sentence. And another.")
        await asyncio.sleep(2.0)
        speaker.interrupt()
        await asyncio.sleep(5.0)

        assert phone.names()[-1] == "clear"
        assert voice.speaking == 0
        assert len(voice.said) == 1


@in_virtual_time
async def test_an_interruption_while_the_voice_is_still_thinking_leaves_it() -> None:
    voice = ToneVoice(delay_s=5.0)
    async with speaking(voice) as (speaker, phone, _, _):
        speaker.say("Slow.")
        await asyncio.sleep(1.0)
        speaker.interrupt()
        await asyncio.sleep(10.0)

        assert voice.speaking == 0
        assert not phone.heard


@in_virtual_time
async def test_what_is_said_after_an_interruption_is_heard_whole() -> None:
    voice = ToneVoice(seconds=3.0)
    async with speaking(voice) as (speaker, phone, _, _):
        speaker.say("Old.")
        await asyncio.sleep(1.0)
        speaker.interrupt()
        before = len(phone.heard)
        speaker.say("New.")
        await asyncio.sleep(5.0)

        assert len(phone.heard) - before == 24_000
        assert phone.names() == ["media", "clear", "media", "mark"]


@in_virtual_time
async def test_a_sentence_no_voice_can_say_becomes_a_fact_and_giving_up_drops_the_rest() -> None:
    voice = ToneVoice(failure=ProviderError("tone", Failure.QUOTA))
    async with speaking(voice) as (speaker, _, facts, spoken):
        speaker.say("One. Two.")
        await asyncio.sleep(0.1)
        assert [type(fact) for fact in facts] == [SpeechFailed, SpeechFailed]
        speaker.say("Three.")
        speaker.give_up()
        ending = await spoken

    assert ending is Ending.SPEECH_FAILED
    assert len(voice.said) == 2
