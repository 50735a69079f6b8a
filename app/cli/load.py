"""`hotline load`: many callers at once."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from app.cli import turns
from app.cli.call import HEARD, NOTHING_HEARD, UNUSABLE, base_plan, webhook
from app.cli.terminal import complain
from app.cli.turns import positive
from app.errors import BridgeError
from app.simulator.hotline import at_hand
from app.simulator.load import LoadPlan, LoadReport, simulate_load
from app.simulator.plan import Patience

KEPT_S = 10.0  # seconds of each call's audio kept for judging whether there was a voice; 80 kB a call
PROGRESS_S = 1.0
EXAMPLES = """\
examples:
  hotline load --calls 50 --ramp 10 --seconds 30
  hotline load --calls 20 --seconds 60 --say "tour dates" --interrupt 3 --say "the news" --say goodbye
  hotline load --calls 200 --ramp 20 --seconds 60 --pid $(pgrep -f 'hotline serve') --json > load.json

Every caller stays for --seconds, or until the hotline hangs up. Those who talk take the same turns, but not
all begin with the first, so that they say different things at once. The callers' own share of a processor and
the lateness of their clock are reported, too: where they are high, it is the callers who were slow.
Exit code 1: not every caller heard a voice; 2: there was nothing to call.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "load",
        help="place many calls at once",
        description="Place many simulated calls at once and report percentiles.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--calls", type=_count, required=True, metavar="N", help="callers at once")
    parser.add_argument("--ramp", type=positive, default=10.0, metavar="R/s", help="that begin a second (10)")
    parser.add_argument("--seconds", type=positive, default=30.0, metavar="S", help="length of a call (30)")
    parser.add_argument("--url", type=webhook, help="the voice webhook, e.g. http://localhost:8000/voice")
    turns.add_options(parser)
    parser.add_argument(
        "--pid", type=_count, help="of the server, when it is on this machine: report its memory"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    report = LoadReport()
    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            runner.run(_load(args, report))
    except (BridgeError, OSError) as error:
        complain("no calls could be placed:", *str(error).splitlines())
        return UNUSABLE
    figures = report.as_json()
    print(json.dumps(figures, indent=2) if args.json else "\n".join(_told(figures)))
    if all(call.is_unreachable for call in report.reports):
        complain("nobody answers there; start one with `hotline serve`, or name it with --url")
        return UNUSABLE
    return HEARD if report.heard == args.calls else NOTHING_HEARD


async def _load(args: argparse.Namespace, report: LoadReport) -> None:
    doings = await turns.turns_of(args.turns)  # before the phones ring: synthesis takes a while
    async with AsyncExitStack() as stack:
        url = args.url or await stack.enter_async_context(at_hand(os.environ))
        patience = Patience(longest_s=args.seconds, quiet_before_end_ms=None)
        call = replace(base_plan(url), patience=patience, keep_s=KEPT_S)
        talks = [doings[first:] + doings[:first] for first in range(len(doings))]
        plan = LoadPlan(calls=args.calls, ramp_per_s=args.ramp, call=call, talks=talks, pid=args.pid)
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(_show_progress(report, args.calls))
            await simulate_load(plan, report)
            showing.cancel()


async def _show_progress(report: LoadReport, calls: int) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        print(f"{report.begun} of {calls} calls begun, {len(report.reports)} over", file=sys.stderr)


def _told(figures: dict[str, object]) -> list[str]:
    lines = [f"{figures['calls']} calls, {figures['heard']} heard a voice, {figures['rejected']} rejected"]
    if figures["turns"]:
        lines.append(f"{figures['turns']} turns of callers, {figures['unanswered']} unanswered")
    for name, values in figures.items():
        if isinstance(values, dict) and "p50" in values:
            lines.append(
                f"  {name:<20}" + "".join(f"  {share} {value:>8}" for share, value in values.items())
            )
    for name in ("closed", "faults", "server", "caller"):
        values = figures[name]
        if isinstance(values, dict):
            lines += [f"  {name}: {key}: {value}" for key, value in values.items()]
    return lines


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    with suppress(ImportError):  # there is none for Windows
        import uvloop

        return uvloop.new_event_loop
    return None
