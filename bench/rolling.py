"""A rolling restart of a fleet, and the death of one replica, under callers who listen and press keys.

    python -m bench.rolling [--calls 60] [--replicas 3] [--redis]

Replicas are processes of their own with a stand-in vendor; balancer, vendor and callers share this one.
"Between" is the silence from the last sound of one stream to the first of the next: a call is handed over at
a silence, and the second for which these callers think before they press a key are part of it. "Without any
stream" is what the hand-over itself takes. "Longest silence" is what any caller heard at a stretch, their own
second included. With `--redis` the replicas share a store that is started for them; what they asked of it is
told by the second and by the second of a call.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the product runs; must precede numpy

import uvloop
from redis.asyncio import Redis

from app import clock
from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from app.simulator.load import percentiles
from app.simulator.plan import Turn
from app.simulator.report import CallReport
from deploy.fleet.store import OwnStore
from tests.journeys.fleets import CUT_OFF, Running, running, was_not_cut

RAMP_PER_S = 10.0
KEYS = 5  # so many times each caller asks for the news
BEFORE_S = 1.0

Blow = Callable[[Running], Awaitable[object]]


async def roll(there: Running) -> object:
    return await there.fleet.roll()


async def kill(there: Running) -> object:
    there.fleet.replicas[0].send(signal.SIGKILL)
    return await there.fleet.replicas[0].wait()


async def under_calls(there: Running, calls: int, blow: Blow) -> list[CallReport]:
    """All callers begin, the blow falls, and all talk to their end."""
    plan = there.plan(*[Turn(digits="1")] * KEYS)
    async with Exchange() as exchange:
        async with asyncio.TaskGroup() as group:
            tasks = []
            for _ in range(calls):
                tasks.append(group.create_task(simulate_call(plan, exchange)))
                await asyncio.sleep(1 / RAMP_PER_S)
            await asyncio.sleep(BEFORE_S)
            began = clock.now()
            outcome = await blow(there)
            done = sum(task.done() for task in tasks)
            print(f"  exit codes {outcome} after {clock.now() - began:.1f} s, {done} calls over by then")
        print(f"  callers' clock late p99 {exchange.ticker.lateness_ms.percentile(0.99)} ms")
    return [task.result() for task in tasks]


async def tell(there: Running, reports: list[CallReport]) -> None:
    between = [ms for report in reports for ms in report.silences.between_ms]
    gaps = [ms for report in reports for ms in report.silences.gaps_ms]
    heard = [await there.heard(report) for report in reports]
    moved = [report for report in reports if len(report.streams) > 1]
    apologies = [await there.count(report, CUT_OFF) for report in moved]
    cut = [report for report in reports if not was_not_cut(report)]
    print(f"  {len(reports)} calls, {len(moved)} moved ({len(between)} times), {len(cut)} cut")
    longest = [report.silences.longest_ms for report in reports]
    print(f"  longest silence heard, ms: {percentiles(longest)}, longest {max(longest, default=0)}")
    print(f"  between streams, ms: {percentiles(between)}, longest {max(between, default=0)}")
    print(f"  without any stream, ms: {percentiles(gaps)}, longest {max(gaps, default=0)}")
    print(f"  heard the whole greeting: {sum(min(each) >= 1 for each in heard)}")
    print(f"  heard a sentence of it twice: {sum(max(each) > 1 for each in heard)}")
    print(f"  were told that they were cut off: {sum(map(bool, apologies))}")
    for report in cut[:5]:
        print(f"  cut: {report.said} {report.all_faults} {report.streams[-1:] and report.streams[-1].closed}")


async def bench(args: argparse.Namespace) -> None:
    blows: dict[str, Blow] = {"rolling restart": roll, "SIGKILL of one replica": kill}
    for name, blow in blows.items():
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            store = await stack.enter_async_context(OwnStore()) if args.redis else None
            environ = {"REDIS_URL": store.url} if store else {}
            there = await stack.enter_async_context(running(folder, replicas=args.replicas, environ=environ))
            print(f"{name} of {args.replicas} replicas under {args.calls} calls")
            began = clock.now()
            reports = await under_calls(there, args.calls, blow)
            await tell(there, reports)
            if store is not None:
                await tell_load(store, reports, clock.now() - began)


async def tell_load(store: OwnStore, reports: list[CallReport], lasted_s: float) -> None:
    """What was asked of the store."""
    async with Redis.from_url(store.url, protocol=2) as redis:
        asked = await redis.info("commandstats")
        scripts = asked.get("cmdstat_evalsha", {"calls": 0, "usec": 0})
        peak = (await redis.info("memory"))["used_memory_peak_human"]
    talked_s = (
        sum(figures.ticks for report in reports for figures in (s.figures for s in report.streams)) / 50
    )
    calls, usec = scripts["calls"], scripts["usec"]
    print(
        f"  store: {calls} scripts, {calls / lasted_s:.0f} a second, {calls / talked_s:.2f} in each of a call"
    )
    print(
        f"  store: {usec / max(1, calls):.0f} us each, {usec / 1e4 / lasted_s:.1f} % of a core, {peak} used"
    )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rolling", description="Restarts under calls.")
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--redis", action="store_true", help="with a store; without it they share a folder")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bench(parser.parse_args(argv or [])))


if __name__ == "__main__":
    main(sys.argv[1:])
