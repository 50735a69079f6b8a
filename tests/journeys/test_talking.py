"""A caller who talks, over real sockets: heard, answered, and let in when they interrupt."""

from app.simulator import voice
from app.simulator.caller import simulate_call
from app.simulator.plan import CallPlan, Patience, Turn
from tests.journeys.conftest import HURRIED, events, hotline


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
