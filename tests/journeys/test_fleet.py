"""A fleet under callers: replaced to the last process, and nobody notices."""

import asyncio
from pathlib import Path

from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from app.simulator.plan import Turn
from tests.journeys.fleets import LONGEST_GAP_MS, NEWS, running, was_not_cut

CALLERS = 9


async def test_a_rolling_restart_of_three_replicas_cuts_no_call(tmp_path: Path) -> None:
    turns = [Turn(digits="1") for _ in range(2)]
    async with running(tmp_path, replicas=3, HAND_OVER_SECONDS="0.7") as there, Exchange() as exchange:
        old = list(there.fleet.replicas)
        async with asyncio.TaskGroup() as group:
            plan = there.plan(*turns)
            calls = [group.create_task(simulate_call(plan, exchange)) for _ in range(CALLERS)]
            await asyncio.sleep(1.0)
            codes = await there.fleet.roll()
        reports = [call.result() for call in calls]

        assert codes == [0, 0, 0]
        assert not set(old) & set(there.fleet.replicas) and len(there.fleet.replicas) == 3
        assert all(was_not_cut(report) for report in reports)
        for report in reports:
            assert await there.heard(report) == [1, 1, 1, 1]
            assert await there.count(report, NEWS) == 2
            assert max(report.silences.between_ms, default=0) < LONGEST_GAP_MS
        assert sum(len(report.streams) - 1 for report in reports) >= CALLERS // 3
