"""One server without a fleet: its calls outlive it on disk."""

import asyncio
import signal
from pathlib import Path

from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from tests.journeys.fleets import CUT_OFF, running, was_not_cut


async def test_a_killed_server_that_comes_back_goes_on_with_the_call_when_twilio_asks_again(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, replicas=1) as there, Exchange() as exchange:
        (dying,) = there.fleet.replicas
        plan = there.plan(call_sid="CA" + "7" * 32)
        async with asyncio.TaskGroup() as group:
            broken = group.create_task(simulate_call(plan, exchange))
            await asyncio.sleep(1.6)
            dying.send(signal.SIGKILL)
            await dying.wait()
        there.fleet.forget(dying)
        again = await there.fleet.launch(port=dying.backend.port)
        there.fleet.replicas.append(again)
        await again.until_ready()
        report = await simulate_call(plan, exchange)

        first, second = await there.heard(broken.result()), await there.heard(report)
        assert broken.result().all_faults  # nobody was there to ask what follows
        assert was_not_cut(report)
        assert await there.count(report, CUT_OFF) == 1
        assert second[-1] == 1
        assert all(one + two >= 1 for one, two in zip(first, second, strict=True))
        assert sum(first) + sum(second) <= len(first) + 1
