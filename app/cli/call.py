"""`hotline call`: be Twilio and a caller, and tell what was heard."""

import argparse
import asyncio
import json
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from app.cli import turns
from app.cli.terminal import complain
from app.cli.turns import positive
from app.errors import BridgeError
from app.simulator import transcript
from app.simulator.caller import simulate_call
from app.simulator.hotline import at_hand
from app.simulator.plan import CallPlan, Line, Patience, account_from
from app.simulator.recording import write_wav
from app.simulator.report import CallReport, told

HEARD, NOTHING_HEARD, UNUSABLE = 0, 1, 2
EXAMPLES = """\
examples:
  hotline call --out heard.wav                 listen until the hotline is quiet
  hotline call --say "opening hours" --say "thank you, goodbye"
  hotline call --digits 12# --json
  hotline call --say "tour dates" --interrupt 2 --say "stop, what is the news" --pause 3 --say goodbye
  hotline call --url https://voice.example.com/voice --play question.wav --seconds 30

Without --url the hotline on http://localhost:$PORT is called, or one is started for the call.
TWILIO_AUTH_TOKEN and TWILIO_ACCOUNT_SID sign the requests, PUBLIC_URL is what they are signed for: set them
as the hotline has them. Of a caller who says or keys something the report also tells, in words, what was
heard: written down after the call by the embedded ears, where they are installed, some words wrongly.
Exit code 1: the caller heard no voice; 2: there was nothing to call.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "call",
        help="place a call without a phone",
        description="Play Twilio and a caller: the webhook, the TwiML, the media stream.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", type=webhook, help="the voice webhook, e.g. http://localhost:8000/voice")
    turns.add_options(parser)
    parser.add_argument("--mic", action="store_true", help="speak yourself (not available yet)")
    parser.add_argument("--out", type=Path, metavar="heard.wav", help="write what a phone would have played")
    parser.add_argument("--seconds", type=positive, help="hang up after so long, not when it is quiet")
    parser.add_argument(
        "--echo", type=positive, metavar="DB", help="a phone that returns our own voice, so much softer"
    )
    parser.add_argument(
        "--transcribe", action=argparse.BooleanOptionalAction, help="report the words that were heard"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.mic:
        complain("--mic is not available yet; record yourself and give the file to --play")
        return UNUSABLE
    try:
        report = asyncio.run(_call(args))
        if _wants_words(args):
            transcript.write_down(report)
        if args.out is not None:
            write_wav(args.out, report.heard)
    except (BridgeError, OSError) as error:
        complain("no call could be placed:", *str(error).splitlines())
        return UNUSABLE
    print(json.dumps(report.as_json(), indent=2) if args.json else "\n".join(told(report)))
    if report.is_unreachable:
        complain(
            "nobody answers there; start one with `hotline serve`, or name it with --url", *report.all_faults
        )
        return UNUSABLE
    return HEARD if report.has_heard else NOTHING_HEARD


def base_plan(url: str) -> CallPlan:
    """A call to `url`, signed as the environment says."""
    return CallPlan(url=url, public_url=os.environ.get("PUBLIC_URL", ""), account=account_from(os.environ))


def webhook(text: str) -> str:
    """An argument that is the URL of a webhook; of a host alone, its usual one."""
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is not an address such as http://localhost:8000/voice")
    return urlsplit(text)._replace(path="/voice").geturl() if urlsplit(text).path in ("", "/") else text


async def _call(args: argparse.Namespace) -> CallReport:
    doings = await turns.turns_of(args.turns)  # before the phone rings: synthesis takes a while
    patience = (
        Patience() if args.seconds is None else Patience(longest_s=args.seconds, quiet_before_end_ms=None)
    )
    async with AsyncExitStack() as stack:
        url = args.url or await stack.enter_async_context(at_hand(os.environ))
        line = Line(echo_db=None if args.echo is None else -args.echo)
        return await simulate_call(replace(base_plan(url), turns=doings, patience=patience, line=line))


def _wants_words(args: argparse.Namespace) -> bool:
    if args.transcribe is None:
        return bool(args.turns) and transcript.is_possible()
    return bool(args.transcribe)
