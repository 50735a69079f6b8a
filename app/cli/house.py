"""`hotline house`: turn new calls away without a restart, and take them again."""

import argparse
import asyncio
import os
from pathlib import Path

from app.calls.closing import FILE
from app.calls.shared_closing import SharedSwitch
from app.capacity.store import Store, StoreAway
from app.cli.terminal import complain
from app.settings import Settings

EXAMPLES = """\
examples:
  hotline house close                   new callers hear CLOSED_MESSAGE, live calls go on
  hotline house open
  DATA_DIR=/data hotline house close    of a server that keeps its data there
  hotline house close --here            of a fleet, this machine's replica alone
"""
WITHIN_S = 5.0  # seconds for the store: the operator waits, no caller does


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "house",
        help="turn new calls away at once, or take them again",
        description="Put the file `closed` into DATA_DIR, or take it away; a server notices within seconds. "
        "With REDIS_URL every replica is told through the store instead.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tasks = parser.add_subparsers(title="tasks", metavar="TASK", required=True)
    for name, what, run in (
        ("close", "turn every new call away", close),
        ("open", "take calls again", reopen),
    ):
        task = tasks.add_parser(name, help=what)
        task.add_argument("--here", action="store_true", help="only what uses this DATA_DIR, not the fleet")
        task.set_defaults(run=run)


def close(args: argparse.Namespace) -> int:
    """0 closed, 1 neither the file nor the store can be written."""
    settings = Settings.load(os.environ)
    if _has_fleet(settings) and not args.here:
        return _turn(settings, closed=True)
    path = _switch(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        complain("not closed", str(error))
        return 1
    print(f"closed: {path}")
    return 0


def reopen(args: argparse.Namespace) -> int:
    """0 open, 1 the file cannot be taken away, the store not told, or the setting keeps the house closed."""
    settings = Settings.load(os.environ)
    path = _switch(settings)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        complain("not opened", str(error))
        return 1
    if settings.money.closed:
        complain("not opened", "HOTLINE_CLOSED is set: unset it, and start the server again")
        return 1
    if _has_fleet(settings) and not args.here:
        return _turn(settings, closed=False)
    print(f"open: {path} is not there")
    return 0


def _switch(settings: Settings) -> Path:
    return Path(settings.server.data_dir) / FILE


def _has_fleet(settings: Settings) -> bool:
    return bool(settings.fleet.redis_url.get_secret_value())


def _turn(settings: Settings, *, closed: bool) -> int:
    fleet, word = settings.fleet, "closed" if closed else "opened"

    async def tell() -> None:
        url = fleet.redis_url.get_secret_value()
        async with Store(url, prefix=fleet.redis_prefix, within_s=WITHIN_S) as store:
            await SharedSwitch(store).turn(closed=closed)

    try:
        asyncio.run(tell())
    except StoreAway as error:
        task = "close" if closed else "open"
        complain(f"not {word}", f"REDIS_URL: {error}; `hotline house {task} --here` needs no store")
        return 1
    print(f"{word}: every replica that shares REDIS_URL")
    return 0
