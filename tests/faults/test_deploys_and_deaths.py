"""Faults 54 to 58: what becomes of live calls when their process is told to go, dies, or stands still.

Fault 57, a loop that stalls, is here as its callers feel it: a process that does nothing for a while.
"""

import asyncio
import signal
from pathlib import Path

import httpx

from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from app.simulator.plan import CallPlan, Turn
from app.simulator.report import CallReport
from deploy.fleet.replica import Replica
from tests.journeys.fleets import CUT_OFF, LONGEST_GAP_MS, NEWS, NOTICE, logged, running, was_not_cut

CALLERS = 4


async def callers(
    plan: CallPlan, exchange: Exchange, group: asyncio.TaskGroup
) -> list[asyncio.Task[CallReport]]:
    """Some callers, who are in the midst of the greeting when this returns."""
    calls = [group.create_task(simulate_call(plan, exchange)) for _ in range(CALLERS)]
    await asyncio.sleep(1.6)
    return calls


async def status_of(replica: Replica) -> int:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"http://127.0.0.1:{replica.backend.port}/readyz")).status_code


async def test_54_sigterm_hands_every_call_over_at_its_next_silence(tmp_path: Path) -> None:
    async with running(tmp_path, replicas=2, HAND_OVER_SECONDS="0.8") as there, Exchange() as exchange:
        leaving, staying = there.fleet.replicas
        async with asyncio.TaskGroup() as group:
            calls = await callers(there.plan(Turn(digits="1")), exchange, group)
            leaving.send(signal.SIGTERM)
            while not logged(leaving, "server.told_to_leave"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
            ready = await status_of(leaving)
            code = await there.fleet.retire(leaving)
        reports = [call.result() for call in calls]

        assert (ready, code) == (503, 0)
        assert all(was_not_cut(report) for report in reports)
        assert sorted(len(report.streams) for report in reports) == [1, 1, 2, 2]
        for report in reports:
            assert await there.heard(report) == [1, 1, 1, 1]
            assert await there.count(report, NEWS) == 1  # asked and answered where the call went
            assert await there.count(report, CUT_OFF) == 0
            assert max(report.silences.between_ms, default=0) < LONGEST_GAP_MS
        assert [event["reason"] for event in logged(leaving, "call.ended")] == ["handed_over"] * 2
        assert logged(leaving, "server.stopped")
        assert len(logged(staying, "call.resumed")) == 2


async def test_55_a_second_sigterm_tells_the_callers_and_they_hear_the_rest_elsewhere(tmp_path: Path) -> None:
    async with running(tmp_path, replicas=2) as there, Exchange() as exchange:
        leaving = there.fleet.replicas[0]
        async with asyncio.TaskGroup() as group:
            calls = await callers(there.plan(), exchange, group)
            leaving.send(signal.SIGTERM)
            await asyncio.sleep(0.6)  # the balancer is told before the calls come back
            code = await there.fleet.retire(leaving)  # the second
            left_early = [call for call in calls if not call.done()]
        reports = [call.result() for call in calls]

        assert code == 0
        assert len(left_early) == CALLERS
        assert all(was_not_cut(report) for report in reports)
        moved = [report for report in reports if len(report.streams) == 2]
        assert len(moved) == 2
        for report in reports:
            told = await there.count(report, NOTICE)
            assert told == (1 if report in moved else 0)
            heard = await there.heard(report)
            # One that was cut in the silence behind its last word has been heard, and comes again.
            assert min(heard) == 1 and sum(heard) <= len(heard) + (report in moved)
            assert heard[-1] == 1
            assert max(report.silences.between_ms, default=0) < LONGEST_GAP_MS


async def test_56_after_a_sigkill_all_callers_hear_the_rest_once(tmp_path: Path) -> None:
    async with running(tmp_path, replicas=3) as there, Exchange() as exchange:
        dying = there.fleet.replicas[0]
        async with asyncio.TaskGroup() as group:
            calls = await callers(there.plan(), exchange, group)
            dying.send(signal.SIGKILL)
            assert await dying.wait() == -signal.SIGKILL
        reports = [call.result() for call in calls]

        assert all(was_not_cut(report) for report in reports)
        moved = [report for report in reports if len(report.streams) == 2]
        assert 1 <= len(moved) <= 2
        for report in reports:
            assert await there.count(report, CUT_OFF) == (1 if report in moved else 0)
            heard = await there.heard(report)
            # The one that had just been heard, or was about to be, may come again; what followed does not.
            assert min(heard) == 1 and sum(heard) <= len(heard) + 1
            assert heard[-1] == 1
            assert max(report.silences.between_ms, default=0) < LONGEST_GAP_MS


async def test_57_and_58_calls_of_a_process_that_stood_still_go_on_when_it_does(tmp_path: Path) -> None:
    async with running(tmp_path, replicas=2) as there, Exchange() as exchange:
        standing = there.fleet.replicas[0]
        async with asyncio.TaskGroup() as group:
            calls = await callers(there.plan(quiet_ms=4500), exchange, group)
            standing.send(signal.SIGSTOP)
            late = [group.create_task(simulate_call(there.plan(), exchange)) for _ in range(2)]
            await asyncio.sleep(3.0)
            standing.send(signal.SIGCONT)
        reports = [call.result() for call in (*calls, *late)]

        assert all(was_not_cut(report) and len(report.streams) == 1 for report in reports)
        assert [await there.heard(report) for report in reports] == [[1, 1, 1, 1]] * len(reports)
        assert not logged(standing, "call.failed")
