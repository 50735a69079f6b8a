"""Live calls beside a flood of strangers, and twice as many callers as there is room for.

    python -m bench.overload [--calls 20] [--slow 1000]

The hotline, the strangers and (here) the callers and the vendor are a process each, on one machine: what the
strangers cost besides the hotline's own time is in the figures too.
"""

import argparse
import asyncio
import json
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the product runs; must precede numpy

import uvloop

from app.simulator.load import LoadReport
from tests.faults.sieges import besieged, flooded


async def flood(calls: int, slow: int) -> None:
    async with besieged(sentences=3) as there:
        alone = await there.load(calls, calls / 4)
        there.looks.clear()
        async with flooded(there.port, slow=slow):
            beside = await there.load(calls, calls / 4)
        late = [_underrun_ms(report) for report in (alone, beside)]
        for name, report in (("alone", alone), ("beside the flood", beside)):
            figures = report.as_json()
            print(f"{name}: {figures['heard']} of {calls} heard, underruns {figures['underruns']}")
            print(f"  first audio ms {figures['first_audio_ms']}, faults {figures['faults']}")
            print(f"  callers' clock late ms {figures['caller']}")
        print(f"underrun ms of {calls * there.greeting_ms}: {late[0]} alone, {late[1]} beside the flood")
        print(f"at the door: {json.dumps(there.looks[-1]['door'])}")
        print(f"loop late ms, mean of 3 s, most {there.most('strain', 'lag_ms')}, ", end="")
        print(f"processor {there.most('strain', 'processor'):.0%}")
        print(f"most at the door {there.most('door', 'waiting'):.0f}, sockets without a start ", end="")
        print(f"{there.most('door', 'sockets_pending'):.0f}, files {there.most('strain', 'files'):.1%}")


def _underrun_ms(report: LoadReport) -> int:
    return sum(int(str(call.as_json()["underrun_ms"])) for call in report.reports)


async def crowd(calls: int) -> None:
    async with besieged(MAX_CALLS=str(calls), WHEN_FULL="reject") as there:
        report = await there.load(2 * calls, 4.0 * calls)
        served = [call for call in report.reports if call.streams]
        whole = [call for call in served if _audio_ms(call.as_json()) >= there.greeting_ms]
        print(f"{2 * calls} callers, room for {calls}: {len(served)} served, {len(whole)} of them whole,")
        print(f"  {sum(call.rejected is not None for call in report.reports)} rejected, ", end="")
        print(f"slots in use at the end: {(await there.status())['calls']['live']}")


def _audio_ms(call: dict[str, object]) -> int:
    return int(str(call["audio_ms"]))


async def bench(args: argparse.Namespace) -> None:
    await flood(args.calls, args.slow)
    await crowd(args.calls)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description="Floods and crowds.")
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--slow", type=int, default=1000)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bench(parser.parse_args(argv or [])))


if __name__ == "__main__":
    main(sys.argv[1:])
