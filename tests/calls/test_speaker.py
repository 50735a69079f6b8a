"""Sentences into the player, in order, and falling silent at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.calls.player import Player
from app.calls.speaker import AHEAD_MS, Speaker
from app.conversation.port import SpeechFailed
from app.errors import Failure, ProviderError
from app.playout.marks import Line
from app.speech.chain import Chain
from app.speech.trouble import trouble
from tests.standins.phone import Phone
from tests.standins.voice import ToneVoice, tone
from tests.virtual_time import in_virtual_time


@dataclass
class Spoken:
    """One call's voice at work, and what it told."""

    phone: Phone
    speaker: Speaker = field(init=False)
    player: Player = field(init=False)
    began: list[Line] = field(default_factory=list)
    heard: list[Line] = field(default_factory=list)
    failed: list[SpeechFailed] = field(default_factory=list)

    def line_began(self, line: Line) -> None:
        self.began.append(line)

    def line_left(self, line: Line) -> None: ...

    def line_heard(self, line: Line) -> None:
        self.heard.append(line)

    def silenced(self) -> None: ...

    def frames_left(self, mulaw: bytes, plays_at: float) -> None:
        pass


@asynccontextmanager
async def speaking(voice: ToneVoice) -> AsyncIterator[Spoken]:
    spoken = Spoken(Phone())
    stream, _ = spoken.phone.stream()
    spoken.player = player = Player(stream, spoken.phone, spoken, lead_s=0.4)

    async def listen() -> None:
        while (text := await spoken.phone.receive()) is not None:
            event = stream.receive(text)
            player.returned(event.name, played=event.played)  # type: ignore[union-attr]

    async with Chain([voice]) as chain, asyncio.TaskGroup() as group:
        spoken.speaker = Speaker(chain, player, tell=spoken.failed.append)
        tasks = [group.create_task(part) for part in (player.run(), spoken.speaker.run(), listen())]
        yield spoken
        for task in tasks:
            task.cancel()


@in_virtual_time
async def test_sentences_are_said_in_order_and_what_follows_waits_for_the_last() -> None:
    done = asyncio.Event()
    async with speaking(ToneVoice(seconds=2.0)) as spoken:
        spoken.speaker.say("One. Two. Three.")
        spoken.speaker.then(done.set)
        await done.wait()

        assert [line.text.strip() for line in spoken.heard] == ["One.", "Two.", "Three."]
        assert len(spoken.phone.heard) == 3 * 16_000


@in_virtual_time
async def test_the_next_sentence_is_made_while_the_last_is_played_but_not_far_ahead() -> None:
    voice = ToneVoice(seconds=8.0)
    async with speaking(voice) as spoken:
        spoken.speaker.say("One. Two. Three. Four.")
        await asyncio.sleep(0.1)
        assert len(voice.said) == 2
        assert AHEAD_MS == 10_000
        await asyncio.sleep(6.5)
        assert len(voice.said) == 3


@in_virtual_time
async def test_a_sentence_begins_when_its_first_frame_leaves_not_when_it_is_made() -> None:
    async with speaking(ToneVoice(seconds=2.0)) as spoken:
        spoken.speaker.say("One. Two.")
        await asyncio.sleep(0.5)
        assert [line.text.strip() for line in spoken.began] == ["One."]
        await asyncio.sleep(1.5)
        assert [line.text.strip() for line in spoken.began] == ["One.", "Two."]


@in_virtual_time
async def test_an_interruption_in_mid_sentence_empties_every_stage() -> None:
    voice = ToneVoice(seconds=30.0, gap_s=0.1)
    async with speaking(voice) as spoken:
        spoken.speaker.say("A long sentence. And another.")
        await asyncio.sleep(0.5)
        spoken.player.hold()
        spoken.speaker.interrupt()
        heard, unheard = spoken.player.abandon()
        await asyncio.sleep(5.0)

        assert spoken.phone.names()[-1] == "clear"
        assert voice.speaking == 0
        assert len(voice.said) == 1
        assert heard and unheard and f"{heard} {unheard}" == "A long sentence."


@in_virtual_time
async def test_an_interruption_while_the_voice_is_still_thinking_leaves_it() -> None:
    voice = ToneVoice(delay_s=5.0)
    async with speaking(voice) as spoken:
        spoken.speaker.say("Slow.")
        await asyncio.sleep(1.0)
        spoken.speaker.interrupt()
        await asyncio.sleep(10.0)

        assert voice.speaking == 0
        assert not spoken.phone.heard


@in_virtual_time
async def test_what_is_said_after_an_interruption_is_heard_whole() -> None:
    async with speaking(ToneVoice(seconds=3.0)) as spoken:
        spoken.speaker.say("Old.")
        await asyncio.sleep(1.0)
        spoken.player.hold()
        spoken.speaker.interrupt()
        spoken.player.abandon()
        before = len(spoken.phone.heard)
        spoken.speaker.say("New.")
        await asyncio.sleep(5.0)

        assert len(spoken.phone.heard) - before == 24_000
        assert spoken.phone.names() == ["media", "clear", "media", "mark"]
        assert [line.text for line in spoken.heard] == ["New."]


@in_virtual_time
async def test_ready_frames_are_played_as_they_are() -> None:
    async with speaking(ToneVoice()) as spoken:
        spoken.speaker.play("hold.wav", tone(300, 2.5))
        await asyncio.sleep(3)

        assert spoken.phone.heard == tone(300, 2.5)
        assert [line.text for line in spoken.heard] == ["hold.wav"]


@in_virtual_time
async def test_a_sentence_no_voice_can_say_becomes_a_fact() -> None:
    voice = ToneVoice(failure=ProviderError("tone", Failure.QUOTA))
    async with speaking(voice) as spoken:
        spoken.speaker.say("Filler.", is_reply=False)
        spoken.speaker.say("One. Two.")
        await asyncio.sleep(10)

        assert [fact.text.strip() for fact in spoken.failed] == ["One."]
        assert spoken.phone.heard == trouble() * 2
