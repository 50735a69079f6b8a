"""`hotline forget`: delete what one caller left on this machine."""

import argparse
import asyncio
import os
from pathlib import Path

from app.calls.retention import Retention
from app.cli.terminal import complain
from app.settings import Settings
from app.telephony.rest import Account

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
        at_twilio = retention.at_twilio(number=args.number, call_sid=args.call)
        swept = retention.forget(number=args.number, call_sid=args.call)
    except OSError as error:
        complain(f"nothing was deleted under {folder}:", str(error))
        return 1
    left = asyncio.run(_delete(settings, at_twilio))
    swept.faults += [f"{sid}: a recording that Twilio keeps; delete it in the Twilio console" for sid in left]
    if swept.faults:
        complain("some could not be deleted:", *swept.faults)
    print(
        f"deleted under {folder}: {swept.messages} messages, "
        f"{swept.callbacks} wishes to be called back, {swept.records} records"
    )
    return int(bool(swept.faults) or not swept.removed)


async def _delete(settings: Settings, recordings: list[str]) -> list[str]:
    """Delete them at Twilio; returns those that are still there, or may be."""
    calls = settings.calls
    if not (recordings and calls.twilio_account_sid and calls.twilio_auth_tokens):
        return recordings
    token = calls.twilio_auth_tokens[0].get_secret_value()
    async with Account(calls.twilio_account_sid, token, base_url=calls.twilio_base_url) as account:
        return [sid for sid in recordings if not await account.delete_recording(sid)]
