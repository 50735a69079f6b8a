"""The ear's events to a recogniser, and what comes of them to the turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.calls.listening import PLACE_NEWS_S, Listening
from app.conversation import turn_port as turns
from app.conversation.port import EarsAwaited, Expect, HearingLost, KeyPressed, UtteranceHeard
from app.errors import Failure, ProviderError
from app.hearing.ear import Ears, KeyHeard, UtteranceAudio
from app.hearing.endpointing import (
    BargedIn,
    UtteranceBegan,
    UtteranceDropped,
    UtteranceEnded,
    UtterancePaused,
    UtteranceResumed,
)
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from tests.standins.ears import ScriptedEars
from tests.virtual_time import in_virtual_time

Told = list[turns.TurnFact]


@asynccontextmanager
async def listening(ears: ScriptedEars | None) -> AsyncIterator[tuple[Listening, Told]]:
    told: Told = []
    line = Listening(Ears(VadBank(Silero.load())).open(), tell=told.append)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(line.run(ears, ["music"]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        yield line, told
        running.cancel()


@in_virtual_time
async def test_an_utterance_reaches_the_recogniser_and_its_words_the_turns() -> None:
    ears = ScriptedEars("tour dates")
    async with listening(ears) as (line, told):
        line.judge([UtteranceBegan(1000, 900), UtteranceAudio(b"one"), UtteranceAudio(b"two")])
        line.judge([UtterancePaused(2300, 2000)])
        await asyncio.sleep(0.2)
        line.judge([UtteranceEnded(2500, 2000, 1000)])

        assert ears.sessions[0].heard == [b"onetwo"]
        assert told == [
            turns.CallerBegan(900),
            turns.Interim("tour dates"),
            turns.CallerStopped(2000),
            UtteranceHeard("tour dates", 1.0),
        ]
    assert ears.open == 0


@in_virtual_time
async def test_a_turn_of_two_stretches_waits_for_the_words_of_both() -> None:
    async with listening(ScriptedEars("i would like", "to hear music", delay_s=0.5)) as (line, told):
        line.judge([UtteranceBegan(0, 0), UtterancePaused(800, 500)])
        line.judge([UtteranceResumed(900, 850), UtterancePaused(1500, 1200)])
        line.judge([UtteranceEnded(1700, 1200, 900)])
        assert len(told) == 2
        await asyncio.sleep(0.6)

        assert told[1:] == [turns.CallerStopped(1200), UtteranceHeard("i would like to hear music", 1.0)]


@in_virtual_time
async def test_noise_is_no_utterance() -> None:
    ears = ScriptedEars("never")
    async with listening(ears) as (line, told):
        line.judge([UtteranceBegan(0, 0), UtteranceAudio(b"x"), UtteranceDropped(300)])
        await asyncio.sleep(1)

        assert told == [turns.CallerBegan(0), turns.NoiseHeard(300)]
        assert ears.sessions[0].cancelled == 1


@in_virtual_time
async def test_barge_in_and_tones_of_keys_are_passed_on() -> None:
    async with listening(ScriptedEars()) as (line, told):
        line.judge([BargedIn(500, 300), KeyHeard(600, "5")])

        assert told == [turns.CallerBargedIn(500), KeyPressed("5")]


@in_virtual_time
async def test_a_recogniser_that_is_lost_leaves_the_keys() -> None:
    failure = ProviderError("scripted", Failure.NETWORK)
    async with listening(ScriptedEars(failure=failure)) as (line, told):
        await asyncio.sleep(0)
        assert told == [HearingLost()]
        line.judge([UtteranceBegan(0, 0), UtterancePaused(500, 300), UtteranceEnded(700, 300, 200)])

        assert told[1:] == [turns.CallerBegan(0), turns.CallerStopped(300)]


@in_virtual_time
async def test_without_a_recogniser_the_keys_are_told_of_at_once() -> None:
    async with listening(None) as (line, told):
        line.judge([KeyHeard(600, "5")])

        assert told == [HearingLost(), KeyPressed("5")]


@in_virtual_time
async def test_a_message_is_heard_by_no_recogniser() -> None:
    ears = ScriptedEars("never")
    async with listening(ears) as (line, _):
        line.recorded = bytearray()
        line.judge([UtteranceBegan(0, 0), UtteranceAudio(b"secret"), UtterancePaused(500, 300)])
        line.hear(0, b"\xff" * 160)

        assert ears.sessions[0].heard == []
        assert len(line.recorded) == 160


@in_virtual_time
async def test_digits_to_be_dictated_make_the_ear_patient() -> None:
    async with listening(ScriptedEars()) as (line, _):
        before = line.ear.endpoints.patience_ms
        line.expect(Expect(("one",), digits=True))

        assert line.ear.endpoints.patience_ms > before


@in_virtual_time
async def test_a_caller_in_line_is_told_the_place_but_not_every_step() -> None:
    async with listening(None) as (line, told):
        told.clear()
        line._wait_in_line(3)
        line._wait_in_line(2)
        await asyncio.sleep(PLACE_NEWS_S)
        line._wait_in_line(1)
        await asyncio.sleep(PLACE_NEWS_S)
        line._wait_in_line(0)

        assert told == [EarsAwaited(3), EarsAwaited(1)]
