"""`hotline forget`: delete what one caller left on this machine."""

import argparse
import os
from pathlib import Path

from app.calls.retention import Retention
from app.cli.terminal import complain
from app.settings import Settings

EXAMPLES = """\
examples:
  hotline forget +15550100       notes and wishes of this number, and all that its calls left
  hotline forget --call CA...    what one call left, its voice messages included

Messages that a script takes are named by their call and bear no number: look the caller's calls up
at Twilio, and forget each. Recordings that Twilio keeps are deleted there.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "forget",
        help="delete what one caller left",
        description="Delete the messages, wishes and records that one caller left under DATA_DIR.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("number", nargs="?", default="", help="the caller's number, as Twilio gave it")
    whose.add_argument("--call", default="", metavar="SID", help="one call's CallSid")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 deleted, 1 nothing was there or something could not be deleted."""
    settings = Settings.load(os.environ)
    folder = settings.server.data_dir
    retention = Retention(Path(folder), settings.safety.retention_days)
    try:
        swept = retention.forget(number=args.number, call_sid=args.call)
    except OSError as error:
        complain(f"nothing was deleted under {folder}:", str(error))
        return 1
    if swept.faults:
        complain("some could not be deleted:", *swept.faults)
    print(
        f"deleted under {folder}: {swept.messages} messages, "
        f"{swept.callbacks} wishes to be called back, {swept.records} records"
    )
    return int(bool(swept.faults) or not swept.removed)
