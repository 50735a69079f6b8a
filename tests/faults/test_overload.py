"""Fault 52 and twice the capacity: strangers and crowds at the door of a real process with live calls."""

import asyncio

from app.simulator.load import LoadReport
from app.simulator.report import CallReport
from tests.faults.sieges import besieged, flooded

CALLS = 20
SLOW = 600  # more than may stand at the door
A_HICCUP = 0.02  # of the audio; ours is none, what a busy machine does to three processes is not ours
LAST_FRAMES_MS = 60  # of a greeting: a sentence may end within a frame


def audio_ms(call: CallReport) -> int:
    return int(str(call.as_json()["audio_ms"]))


def underrun_ms(report: LoadReport) -> int:
    return sum(int(str(call.as_json()["underrun_ms"])) for call in report.reports)


async def test_52_a_flood_at_the_door_costs_the_live_calls_nothing() -> None:
    """600 connections that trickle, 20 that come and go all the time, 40 that shake hands and say nothing."""
    async with besieged() as there, asyncio.TaskGroup() as group:
        calls = group.create_task(there.load(CALLS, ramp_per_s=10.0))
        async with flooded(there.port, slow=SLOW):
            report = await calls
        door = (await there.status())["door"]

    assert report.heard == CALLS
    assert min(map(audio_ms, report.reports)) >= there.greeting_ms - LAST_FRAMES_MS
    assert not any(call.all_faults for call in report.reports)
    if report.lateness_ms.percentile(0.99) < 100:  # else the callers themselves were held up
        assert underrun_ms(report) <= A_HICCUP * CALLS * there.greeting_ms
    assert there.most("door", "waiting") <= door["most"]
    assert there.most("door", "sockets_pending") <= 64
    assert there.most("strain", "files") < 0.9
    assert door["dropped_crowd"] + door["dropped_slow"] > 0


async def test_twice_as_many_callers_as_there_is_room_for_leave_those_who_are_in_undisturbed() -> None:
    async with besieged(sentences=1, MAX_CALLS="10", WHEN_FULL="reject") as there:
        report = await there.load(20, ramp_per_s=40.0)
        status = await there.status()

    served = [call for call in report.reports if call.streams]
    assert len(served) == 10
    assert min(map(audio_ms, served)) >= there.greeting_ms - LAST_FRAMES_MS
    assert [call.rejected for call in report.reports if not call.streams] == ["busy"] * 10
    assert there.most("calls", "live") == 10
    assert (status["calls"]["live"], status["calls"]["reserved"]) == (0, 0)


async def test_twice_as_many_in_line_are_all_served_and_never_more_than_there_is_room_for() -> None:
    async with besieged(sentences=1, MAX_CALLS="5", WHEN_FULL="queue") as there:
        report = await there.load(10, ramp_per_s=40.0)
        status = await there.status()

    assert [len(call.streams) for call in report.reports] == [1] * 10
    assert min(map(audio_ms, report.reports)) >= there.greeting_ms - LAST_FRAMES_MS
    assert there.most("calls", "live") == 5
    assert (status["calls"]["live"], status["calls"]["reserved"], status["line"]["waiting"]) == (0, 0, 0)
