"""`python -m deploy.fleet`: start it, roll it, stop it."""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from deploy.fleet.fleet import Fleet, FleetPlan
from deploy.fleet.replica import NotStarted
from deploy.fleet.store import NoStore, OwnStore

EXAMPLES = """\
examples:
  python -m deploy.fleet                        two replicas behind http://localhost:8000
  python -m deploy.fleet --replicas 3 --port 9000
  python -m deploy.fleet --redis                with a store of its own: valkey-server or redis-server
  REDIS_URL=redis://host/0 python -m deploy.fleet
  kill -HUP <pid of the fleet>                  rolling restart: no call is cut
  hotline load --calls 20 --seconds 60 --url http://localhost:8000/voice

With a store the replicas are one hotline: any of them takes any webhook and any socket, each has a
folder of its own, and webhooks can be signed (TWILIO_AUTH_TOKEN, over the balancer's address, or over
PUBLIC_URL where that is set). Without one they share a folder (DATA_DIR, else one for as long as the
fleet runs): a stream must come back to the replica that asked for it, which is told by its path, so that
no webhook can be signed. Every other setting is passed on to the replicas: `hotline config` lists them.
"""


UNSIGNED = (
    "TWILIO_AUTH_TOKEN needs a store (--redis): without one the replicas' own paths would not be signed"
)


def parsed(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.fleet",
        description="Several replicas of hotline behind one balancer, on this machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--replicas", type=int, default=2, metavar="N", help="how many (2)")
    parser.add_argument("--port", type=int, default=8000, help="of the balancer (8000)")
    parser.add_argument("--redis", action="store_true", help="start a store too, in place of REDIS_URL")
    args = parser.parse_args(argv)
    if args.replicas < 1:
        parser.error(f"--replicas {args.replicas}, expected 1 or more")
    return args


async def run(args: argparse.Namespace) -> int:
    """Until Ctrl-C."""
    stop, roll = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig, event in ((signal.SIGINT, stop), (signal.SIGTERM, stop), (signal.SIGHUP, roll)):
        loop.add_signal_handler(sig, event.set)
    async with AsyncExitStack() as stack:
        folder = os.environ.get("DATA_DIR") or stack.enter_context(tempfile.TemporaryDirectory())
        environ = {name: value for name, value in os.environ.items() if name != "PORT"}
        if args.redis:
            environ["REDIS_URL"] = (await stack.enter_async_context(OwnStore())).url
            _tell(f"store at {environ['REDIS_URL']}")
        if environ.get("TWILIO_AUTH_TOKEN") and not environ.get("REDIS_URL"):
            print(UNSIGNED, file=sys.stderr)
            return 2
        plan = FleetPlan(folder=Path(folder), replicas=args.replicas, port=args.port, environ=environ)
        fleet = await stack.enter_async_context(Fleet(plan, _tell))
        _tell(f"ready: call {fleet.url}/voice; kill -HUP {os.getpid()} restarts all; Ctrl-C stops")
        await _obey(fleet, stop, roll)
        _tell("stopping")
    return 0


async def _obey(fleet: Fleet, stop: asyncio.Event, roll: asyncio.Event) -> None:
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        rolling = asyncio.create_task(_roll(fleet, roll))
        await asyncio.wait({stopping, rolling}, return_when=asyncio.FIRST_COMPLETED)
        rolling.cancel()


async def _roll(fleet: Fleet, roll: asyncio.Event) -> None:
    await roll.wait()
    roll.clear()
    try:
        codes = await fleet.roll()
        _tell(f"all replicas are new; the old ones exited with {codes}")
    except NotStarted as error:
        _tell(f"rolling restart given up: {error}")


def _tell(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    args = parsed(sys.argv[1:])
    try:
        return asyncio.run(run(args))
    except (NoStore, NotStarted, OSError) as error:
        print(f"the fleet cannot run: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
