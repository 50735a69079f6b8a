"""From events to alarms, and back into the event stream."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app.log import Event, attach, log
from app.observe.alarm_watch import AlarmWatch
from tests.virtual_time import in_virtual_time


@pytest.fixture
def heard() -> Iterator[list[Event]]:
    """Every event of the test."""
    events: list[Event] = []
    with ExitStack() as attached:
        attached.callback(attach(lambda event: events.append(dict(event))))
        yield events


async def test_failed_generations_raise_an_alarm_that_is_logged_and_told(heard: list[Event]) -> None:
    told: list[str] = []
    watch = AlarmWatch(told.append)
    with ExitStack() as attached:
        attached.callback(attach(watch.read))
        for _ in range(5):
            log.warning("provider.failed", provider="tone", kind="network")
        watch.judge()

    assert [event["event"] for event in heard][-1] == "alarm.raised"
    assert heard[-1]["level"] == "error" and heard[-1]["subject"] == "tone"
    assert told == ["hotline: alarm generations of tone: 5 of 5 generations failed within 300 s"]
    assert watch.active[0]["alarm"] == "generations"


async def test_complete_generations_and_turns_in_a_line_raise_none(heard: list[Event]) -> None:
    watch = AlarmWatch()
    for _ in range(10):
        watch.read({"event": "speech.rendered", "outcome": "complete", "provider": "tone"})
        watch.read({"event": "provider.failed", "kind": "over_limit", "provider": "tone"})
        watch.read({"event": "call.ended", "reason": "caller_hung_up"})
    watch.judge()

    assert watch.active == [] and heard == []


async def test_failed_calls_raise_an_alarm_of_their_own() -> None:
    watch = AlarmWatch()
    for _ in range(5):
        watch.read({"event": "call.ended", "reason": "speech_failed"})
    watch.judge()

    assert watch.active == [
        {
            "alarm": "sessions",
            "subject": "calls",
            "reason": "5 of 5 sessions failed within 300 s",
        }
    ]


async def test_a_refused_key_wakes_the_judge() -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    watch = AlarmWatch(told.put_nowait)
    async with asyncio.TaskGroup() as group:
        judging = group.create_task(watch.run())
        await asyncio.sleep(0)
        watch.read({"event": "provider.failed", "kind": "auth", "provider": "tone"})
        async with asyncio.timeout(20):
            sentence = await told.get()
        judging.cancel()

    assert sentence == "hotline: alarm auth of tone: key refused"


async def test_an_alarm_logged_from_inside_a_reader_is_safe(heard: list[Event]) -> None:
    watch = AlarmWatch()

    def hasty(event: Event) -> None:
        if event["event"] == "provider.failed":
            watch.judge()

    with ExitStack() as attached:
        attached.callback(attach(watch.read))
        attached.callback(attach(hasty))
        log.warning("provider.failed", provider="tone", kind="auth_suspect")

    assert sorted(event["event"] for event in heard) == ["alarm.raised", "provider.failed"]


@in_virtual_time
async def test_each_level_of_a_budget_is_told_once_and_is_over_with_the_period(heard: list[Event]) -> None:
    told: list[str] = []
    watch = AlarmWatch(told.append)
    for percent in (50, 80):
        watch.read({"event": "budget.reached", "period": "day", "percent": percent})
        watch.judge()
        watch.judge()

    assert told == [
        "hotline: alarm budget of day 50 %: 50 % of the day's budget are spent",
        "hotline: alarm budget of day 80 %: 80 % of the day's budget are spent",
    ]
    assert [alarm["alarm"] for alarm in watch.active] == ["budget", "budget"]

    watch.read({"event": "budget.renewed", "period": "day", "levels": [50, 80]})
    await asyncio.sleep(61)
    watch.judge()

    assert told[2:] == [
        "hotline: over: alarm budget of day 50 % (stood 61 s)",
        "hotline: over: alarm budget of day 80 % (stood 61 s)",
    ]
    assert watch.active == []
