"""`hotline house`: turn new calls away without a restart, and take them again."""

import argparse
import os
from pathlib import Path

from app.calls.closing import FILE
from app.cli.terminal import complain
from app.settings import Settings

EXAMPLES = """\
examples:
  hotline house close                   new callers hear CLOSED_MESSAGE, live calls go on
  hotline house open
  DATA_DIR=/data hotline house close    of a server that keeps its data there
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "house",
        help="turn new calls away at once, or take them again",
        description="Put the file `closed` into DATA_DIR, or take it away; a server notices within seconds.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tasks = parser.add_subparsers(title="tasks", metavar="TASK", required=True)
    tasks.add_parser("close", help="turn every new call away").set_defaults(run=close)
    tasks.add_parser("open", help="take calls again").set_defaults(run=reopen)


def close(_args: argparse.Namespace) -> int:
    """0 closed, 1 the file cannot be written."""
    path = _switch(Settings.load(os.environ))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        complain("not closed", str(error))
        return 1
    print(f"closed: {path}")
    return 0


def reopen(_args: argparse.Namespace) -> int:
    """0 open, 1 the file cannot be taken away, or the setting keeps the house closed."""
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
    print(f"open: {path} is not there")
    return 0


def _switch(settings: Settings) -> Path:
    return Path(settings.server.data_dir) / FILE
