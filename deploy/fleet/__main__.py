"""`python -m deploy.fleet`: start it, roll it, stop it."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.fleet.fleet import Fleet, FleetPlan, free_port
from deploy.fleet.replica import NotStarted

EXAMPLES = """\
examples:
  python -m deploy.fleet                        two replicas behind http://localhost:8000
  python -m deploy.fleet --replicas 3 --port 9000
  kill -HUP <pid of the fleet>                  rolling restart: no call is cut
  hotline load --calls 20 --seconds 60 --url http://localhost:8000/voice

Replicas share a folder (DATA_DIR, else one for as long as the fleet runs) and a store: REDIS_URL, else a
redis-server of the fleet's own where one is installed. Without a store (--no-redis) a stream must come back
to the replica that asked for it, which is told by its path: good for trying, but no webhook can be signed.
Every other setting is passed on to the replicas: `hotline config` lists them.
"""


def parsed(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.fleet",
        description="Several replicas of hotline behind one balancer, on this machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--replicas", type=int, default=2, metavar="N", help="how many (2)")
    parser.add_argument("--port", type=int, default=8000, help="of the balancer (8000)")
    parser.add_argument("--no-redis", action="store_true", help="share the folder only")
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
        environ = {name: value for name, value in os.environ.items() if name not in ("PORT", "REDIS_URL")}
        if not args.no_redis:
            environ |= await stack.enter_async_context(_store(Path(folder)))
        if "REDIS_URL" not in environ and environ.get("TWILIO_AUTH_TOKEN"):
            print("TWILIO_AUTH_TOKEN needs a store that the replicas share: set REDIS_URL", file=sys.stderr)
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


@asynccontextmanager
async def _store(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Where REDIS_URL points, or a server of our own."""
    if url := os.environ.get("REDIS_URL"):
        yield {"REDIS_URL": url}
        return
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        _tell("neither valkey-server nor redis-server is installed: the replicas share a folder only")
        yield {}
        return
    port = free_port()
    options = ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder))
    server = await asyncio.create_subprocess_exec(
        program, *options, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    _tell(f"store on redis://127.0.0.1:{port}/0, pid {server.pid}")
    try:
        yield {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    finally:
        server.terminate()
        await server.wait()


def _tell(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    args = parsed(sys.argv[1:])
    try:
        return asyncio.run(run(args))
    except (NotStarted, OSError) as error:
        print(f"the fleet cannot run: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
