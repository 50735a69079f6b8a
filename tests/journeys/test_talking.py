"""Callers who talk, over real sockets: heard, answered, and never taken for one another."""

import asyncio

import httpx

from app.simulator import transcript, voice
from app.simulator.caller import simulate_call
from app.simulator.plan import CallPlan, Patience, Turn
from app.simulator.report import CallReport
from tests.journeys.answers import Answers
from tests.journeys.conftest import HURRIED, events, hotline
from tests.journeys.talkers import remembering, talk, turns_of

ANSWERS = Answers.of_the_script_that_ships()
ASKED = {
    "what are the tour dates": "tour",
    "when is the next concert": "tour",
    "where are you playing": "tour",
    "tell me about the music": "music",
    "i would like to hear the news": "news",
    "any news please": "news",
}


async def test_a_caller_who_interrupts_is_heard_and_answered_and_nothing_old_follows() -> None:
    question = await voice.spoken("what are the tour dates")
    async with hotline(
        CONVERSATION="script", GREETING="Welcome to the hotline.", HEARING_POOL_SIZE="1"
    ) as url:
        report = await simulate_call(
            CallPlan(
                url=url + "/voice",
                turns=(Turn(mulaw=question, interrupt_after_ms=2000),),
                patience=Patience(longest_s=9.0),
                quirks=HURRIED,
            )
        )
        names = [event["event"] for event in await events(url, call_sid=report.call_sid)]
        (ended,) = await events(url, event="call.ended")

    figures = report.as_json()
    assert (figures["clears"], figures["faults"], figures["underruns"]) == (1, [], 0)
    assert names.index("turn.barged_in") < names.index("hearing.transcribed") < names.index("turn.replied")
    assert (ended["turns"], ended["barge_ins"]) == (1, 1)


async def test_one_who_asks_in_turn_hears_the_answer_to_each_question() -> None:
    first, second = await voice.spoken("what are the tour dates"), await voice.spoken("goodbye")
    async with remembering() as running:
        report = await talk(running.url, Turn(first), Turn(second, interrupt_after_ms=3000))
        (ended,) = await events(running.url, event="call.ended")

    transcript.write_down(report)
    asked, parted = turns_of(report)
    assert asked.silence_ms is not None and asked.clear_ms is None
    assert ANSWERS.told_in(asked.heard or "") == "tour"
    assert ANSWERS.told_in(parted.heard or "") == "bye"
    assert ended["reason"] == "finished"
    assert report.as_json()["faults"] == []


async def test_six_callers_at_once_each_hear_the_answers_to_their_own_questions() -> None:
    spoken = {text: await voice.spoken(text) for text in ASKED}
    questions = list(ASKED)
    pairs = list(zip(questions, questions[3:] + questions[:3], strict=True))
    async with remembering(HEARING_POOL_SIZE="6") as running:
        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(asking(running.url, [spoken[text] for text in pair])) for pair in pairs
            ]
        async with httpx.AsyncClient(base_url=running.url) as http, asyncio.timeout(5):
            # The last call ends on the other side of a socket: nothing here could be waited for.
            while (await http.get("/pool")).json()["local"]["free"] < 6:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        understood = await events(running.url, event="hearing.transcribed", limit="1000")

    fitting = 0
    for pair, call in zip(pairs, calls, strict=True):
        report = call.result()
        transcript.write_down(report)
        fitting += sum(
            ANSWERS.told_in(turn.heard or "") == ASKED[text]
            for text, turn in zip(pair, turns_of(report), strict=True)
        )
        assert (report.as_json()["clears"], report.as_json()["faults"]) == (2, [])
    assert fitting >= 10  # of 12: how well the ears hear is measured in bench/hearing.py
    assert len(understood) == 2 * len(pairs)


async def asking(url: str, questions: list[bytes]) -> CallReport:
    """A caller who asks each question into what is being said, and hangs up in the last answer."""
    turns = [Turn(mulaw, interrupt_after_ms=2000) for mulaw in questions]
    return await talk(url, *turns, hears_ms=7000)


async def test_keys_are_answered_without_any_ears() -> None:
    async with hotline(CONVERSATION="script", GREETING="Welcome.", HEARING_PROVIDERS="none") as url:
        report = await simulate_call(
            CallPlan(
                url=url + "/voice",
                turns=(Turn(digits="1", interrupt_after_ms=1000),),
                patience=Patience(longest_s=5.0),
                quirks=HURRIED,
            )
        )
        (ended,) = await events(url, event="call.ended")

    assert report.as_json()["clears"] == 1
    assert ended["turns"] == 1
