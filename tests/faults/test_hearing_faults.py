"""The catalogue of what ears do, by number: they are stuck (25), or there are none left (26)."""

import asyncio

from app.simulator import voice
from app.simulator.caller import simulate_call
from app.simulator.plan import CallPlan, Patience, Turn
from app.simulator.report import CallReport
from tests.journeys.conftest import HURRIED, events, hotline
from tests.standins.cloud_ears import Script
from tests.standins.deepgram import KEY, DeepgramStandin


async def ring(url: str, *turns: Turn, longest_s: float = 12.0) -> CallReport:
    patience = Patience(longest_s=longest_s, quiet_before_end_ms=500, reply_within_ms=6000)
    return await simulate_call(CallPlan(url=url + "/voice", turns=turns, patience=patience, quirks=HURRIED))


async def test_25_ears_that_are_stuck_cost_the_caller_a_repetition_and_nothing_else() -> None:
    question = await voice.spoken("what are the tour dates")
    async with DeepgramStandin(Script(mute=True)) as ears:
        environ = {
            "DEEPGRAM_API_KEY": KEY,
            "DEEPGRAM_BASE_URL": ears.url,
            "HEARING_PROVIDERS": "deepgram",
            "SPEECH_PROVIDERS": "local",
        }
        async with hotline(
            CONVERSATION="script", GREETING="Welcome.", SILENCE_SECONDS="30", **environ
        ) as url:
            report = await ring(url, Turn(mulaw=question, interrupt_after_ms=500))
            log = await events(url, call_sid=report.call_sid)

    names = [event["event"] for event in log]
    assert report.as_json()["faults"] == []
    # Nothing was understood, and the caller is told so.
    assert "speech.rendered" in names[names.index("hearing.transcribed") :]
    assert len(ears.seen) == 1


async def test_26_without_a_free_recogniser_the_keys_work() -> None:
    async with hotline(
        CONVERSATION="script", GREETING="Welcome.", HEARING_PROVIDERS="local", HEARING_POOL_SIZE="1"
    ) as url:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(ring(url, longest_s=6.0))
            await asyncio.sleep(1.0)
            second = group.create_task(ring(url, Turn(digits="1", interrupt_after_ms=500), longest_s=6.0))
        waiting = await events(url, event="hearing.session_waiting")
        begun = [event["call_sid"] for event in await events(url, event="hearing.session_begun")]
        ended = {event["call_sid"]: event for event in await events(url, event="call.ended")}

    assert begun[0] == first.result().call_sid  # who came first has the ears
    assert [event["call_sid"] for event in waiting] == [second.result().call_sid]
    assert ended[second.result().call_sid]["turns"] == 1
    assert second.result().as_json()["faults"] == []
