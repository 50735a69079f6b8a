"""Whole turns under virtual time: questions, interruptions, resumption, messages, transfers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.calls.call import Call
from app.calls.ear_tick import EarTick
from app.calls.means import Limits, Means
from app.calls.registry import Ending
from app.calls.script import Script
from app.conversation import turn_port as turns
from app.conversation.immediate import Immediate
from app.conversation.port import (
    CallStarted,
    Fact,
    HangUp,
    Interrupted,
    KeyPressed,
    KeysEntered,
    MessageTaken,
    NotUnderstood,
    Order,
    PlayBack,
    PressKeys,
    Say,
    SilenceLasted,
    TakeMessage,
    Transfer,
    TransferFailed,
    UtteranceHeard,
)
from app.conversation.stateless import Stateless
from app.conversation.turn_port import TurnLimits
from app.hearing.chain import HearingChain
from app.hearing.dtmf import InbandKeys
from app.hearing.ear import Ears, UtteranceAudio
from app.hearing.endpointing import UtteranceBegan, UtteranceEnded, UtterancePaused
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.speech.chain import Chain
from tests.standins.ears import ScriptedEars
from tests.standins.phone import Phone
from tests.standins.voice import ToneVoice, tone
from tests.virtual_time import in_virtual_time

Table = dict[type, list[Order]]


class Answers(Stateless):
    """Says what the table holds for a fact, and remembers all facts."""

    def __init__(self, table: Table) -> None:
        self.facts: list[Fact] = []
        self._table = table

    def handle(self, fact: Fact) -> list[Order]:
        self.facts.append(fact)
        return self._table.get(type(fact), [])

    def of(self, kind: type) -> list[Fact]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


@dataclass
class Line:
    """A call that is going on; `tell` puts a fact to its turns, as the ear would."""

    phone: Phone
    call: Call
    conversation: Answers
    voice: ToneVoice
    over: "asyncio.Task[Ending]" = field(init=False)

    def tell(self, *facts: turns.TurnFact) -> None:
        for fact in facts:
            self.call._tell(fact)


@asynccontextmanager
async def talking(
    table: Table,
    *,
    seconds: float = 5.0,
    limits: TurnLimits | None = None,
    folder: Path = Path(),
    opening: TransferFailed | None = None,
) -> AsyncIterator[Line]:
    phone, voice, conversation = Phone(), ToneVoice(seconds=seconds), Answers(table)
    stream, started = phone.stream()
    async with Chain([voice]) as chain, asyncio.TaskGroup() as group:
        means = Means(
            voice=chain,
            ears=EarTick(Ears(VadBank(Silero.load()))),
            recognisers=HearingChain([ScriptedEars()]),
            limits=Limits(turns=limits or TurnLimits(silence_s=60)),
            messages_in=folder,
        )
        call = Call(started, stream, phone, Script(Immediate(conversation), opening=opening), means)
        line = Line(phone, call, conversation, voice)
        line.over = group.create_task(call.run())
        yield line
        if not line.over.done():
            phone.hang_up()


GREETING: Table = {CallStarted: [Say("Hello there my dear caller.")]}


@in_virtual_time
async def test_what_a_call_is_doing_is_told_in_a_word() -> None:
    table: Table = {**GREETING, UtteranceHeard: [Say("An answer.")]}
    async with talking(table) as line:
        words = []
        happenings: list[tuple[float, list[turns.TurnFact]]] = [
            (1.0, []),
            (6.0, []),
            (0.0, [turns.CallerBegan(7000), turns.CallerStopped(7500), UtteranceHeard("music")]),
            (1.0, []),
            (0.0, [turns.CallerBegan(8000), turns.CallerBargedIn(8200)]),
        ]
        for after_s, facts in happenings:
            await asyncio.sleep(after_s)
            line.tell(*facts)
            words.append(line.call.leaver.doing)
        line.call.leaver.leave()
        words.append(line.call.leaver.doing)

    assert words == ["greeting", "listening", "thinking", "speaking", "holding", "leaving"]


@in_virtual_time
async def test_a_call_that_is_parted_with_is_leaving() -> None:
    async with talking(GREETING) as line:
        await asyncio.sleep(1)
        line.call.leaver.part("One moment.")

        assert line.call.leaver.doing == "leaving"


@in_virtual_time
async def test_an_utterance_is_answered() -> None:
    async with talking({**GREETING, UtteranceHeard: [Say("An answer.")]}) as line:
        await asyncio.sleep(6)
        line.tell(turns.CallerBegan(6000), turns.CallerStopped(7000), UtteranceHeard("music"))
        await asyncio.sleep(1)

        assert [said.strip() for said in line.voice.said] == ["Hello there my dear caller.", "An answer."]


@in_virtual_time
async def test_words_in_the_midst_of_a_reply_end_it_and_nothing_old_follows_the_clear() -> None:
    async with talking({**GREETING, UtteranceHeard: [Say("An answer.")]}) as line:
        await asyncio.sleep(2)
        line.tell(turns.CallerBegan(2000), turns.CallerBargedIn(2200))
        await asyncio.sleep(0.5)
        before = len(line.phone.sent)
        assert line.phone.names()[-1] == "clear"
        line.tell(turns.CallerStopped(3000), UtteranceHeard("tour dates"))
        await asyncio.sleep(0.05)

        interrupted = line.conversation.of(Interrupted)[0]
        assert isinstance(interrupted, Interrupted)
        assert f"{interrupted.heard} {interrupted.unheard}" == "Hello there my dear caller."
        assert interrupted.heard.startswith("Hello")
        assert line.phone.sent[before]["event"] == "media"
        assert line.voice.said[-1] == "An answer."


@in_virtual_time
async def test_a_cough_resumes_the_reply_and_every_word_is_played_once_but_the_cut_frame() -> None:
    async with talking(GREETING) as line:
        await asyncio.sleep(2)
        line.tell(turns.CallerBegan(2000), turns.CallerBargedIn(2200))
        await asyncio.sleep(0.3)
        line.tell(turns.NoiseHeard(2500))
        await asyncio.sleep(5)

        assert line.phone.names() == ["media", "clear", "media", "mark"]
        assert line.conversation.of(Interrupted) == []
        # All but the lead that Twilio dropped at the clear was sent once.
        assert 0 <= len(line.phone.heard) - 5 * 8000 <= 0.5 * 8000


@in_virtual_time
async def test_a_backchannel_does_not_take_the_floor() -> None:
    async with talking({**GREETING, UtteranceHeard: [Say("An answer.")]}) as line:
        await asyncio.sleep(2)
        line.tell(turns.CallerBegan(2000), turns.CallerBargedIn(2200), turns.CallerStopped(2500))
        line.tell(UtteranceHeard("uh-huh"))
        await asyncio.sleep(5)

        assert len(line.voice.said) == 1
        assert line.phone.names()[-1] == "mark"


@in_virtual_time
async def test_a_key_interrupts_at_once_and_is_answered() -> None:
    async with talking({**GREETING, KeysEntered: [Say("Pressed.")]}) as line:
        await asyncio.sleep(1)
        line.tell(KeyPressed("2"))
        await asyncio.sleep(0.2)

        assert line.conversation.of(KeysEntered) == [KeysEntered("2")]
        assert line.phone.names() == ["media", "clear", "media"]


@in_virtual_time
async def test_silence_is_asked_about_and_a_goodbye_is_heard_to_its_end() -> None:
    table: Table = {**GREETING, SilenceLasted: [Say("Goodbye then."), HangUp()]}
    async with talking(table, limits=TurnLimits(silence_s=7)) as line:
        ending = await line.over

    assert ending is Ending.FINISHED
    assert len(line.phone.heard) == 2 * 5 * 8000


@in_virtual_time
async def test_a_message_is_taken_after_a_tone() -> None:
    table: Table = {
        CallStarted: [Say("Leave a message."), TakeMessage(30.0)],
        MessageTaken: [Say("Thank you."), HangUp()],
    }
    async with talking(table, folder=Path("/nonexistent/hotline")) as line:
        await asyncio.sleep(6)
        assert len(line.phone.heard) == 5 * 8000 + 2400
        line.tell(turns.CallerBegan(6000), turns.CallerStopped(9000))
        ending = await line.over

    assert ending is Ending.FINISHED
    (taken,) = line.conversation.of(MessageTaken)
    assert isinstance(taken, MessageTaken) and taken.duration_s > 0


@in_virtual_time
async def test_a_transfer_ends_the_stream_with_its_number_after_the_last_word() -> None:
    async with talking({CallStarted: [Say("One moment."), Transfer("+15550123")]}) as line:
        ending = await line.over

    assert (ending, line.call.transfer_to) == (Ending.TRANSFERRED, "+15550123")
    assert len(line.phone.heard) == 5 * 8000


@in_virtual_time
async def test_keys_are_pressed_as_tones_on_the_line() -> None:
    async with talking({CallStarted: [PressKeys("42")]}) as line:
        await asyncio.sleep(2)

        assert InbandKeys().feed(bytes(line.phone.heard)) == ["4", "2"]


@in_virtual_time
async def test_the_callers_own_voice_is_played_back_to_them() -> None:
    async with talking({NotUnderstood: [PlayBack()]}) as line:
        spoken = tone(440, 1.0)
        line.call._listening.judge([UtteranceBegan(0, 0), UtteranceAudio(spoken)])
        line.call._listening.judge([UtterancePaused(1300, 1000)])
        await asyncio.sleep(0.5)
        line.call._listening.judge([UtteranceEnded(1500, 1000, 1000)])
        await asyncio.sleep(3)

        assert bytes(line.phone.heard).startswith(spoken)


@in_virtual_time
async def test_a_caller_who_came_back_from_a_transfer_is_told_so_first() -> None:
    failed = TransferFailed("+15550123")
    async with talking({TransferFailed: [Say("Nobody was there.")]}, opening=failed) as line:
        await asyncio.sleep(1)

        assert line.conversation.facts[0] == failed
        assert line.voice.said == ["Nobody was there."]


@in_virtual_time
async def test_a_message_is_kept_when_the_caller_hangs_up_in_it(tmp_path: Path) -> None:
    async with talking({CallStarted: [TakeMessage(60.0)]}, folder=tmp_path) as line:
        await asyncio.sleep(1)
        line.tell(turns.CallerBegan(1000))
        for at_ms in range(1000, 2000, 20):
            line.call._listening.hear(at_ms, b"\x55" * 160)
        await asyncio.sleep(2)
        assert [path.suffix for path in tmp_path.iterdir()] == [".part"]  # noqa: ASYNC240 - a test
        line.phone.hang_up()

    assert [path.suffix for path in tmp_path.iterdir()] == [".wav"]  # noqa: ASYNC240 - a test
