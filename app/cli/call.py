"""`hotline call`: be Twilio and a caller, and tell what was heard."""

import argparse
import asyncio
import json
import math
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from app.cli.terminal import complain
from app.errors import BridgeError
from app.simulator import voice
from app.simulator.caller import simulate_call
from app.simulator.hotline import at_hand
from app.simulator.plan import CallPlan, Patience, Turn, account_from
from app.simulator.recording import write_wav
from app.simulator.report import CallReport, told

HEARD, NOTHING_HEARD, UNUSABLE = 0, 1, 2
KEYS = frozenset("0123456789*#")
EXAMPLES = """\
examples:
  hotline call --out heard.wav                 listen until the hotline is quiet
  hotline call --say "opening hours" --say "thank you, goodbye"
  hotline call --digits 12# --json
  hotline call --url https://voice.example.com/voice --play question.wav --seconds 30

Without --url the hotline on http://localhost:$PORT is called, or one is started for the call.
TWILIO_AUTH_TOKEN and TWILIO_ACCOUNT_SID sign the requests, PUBLIC_URL is what they are signed for: set them
as the hotline has them. Exit code 1: the caller heard no voice; 2: there was nothing to call.
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
    turns = {"--say": "speak", "--play": "play an audio file", "--digits": "press keys, e.g. 12#"}
    for option, meaning in turns.items():
        parser.add_argument(
            option,
            dest="turns",
            action="append",
            type=_TYPES[option],
            metavar={"--say": "TEXT", "--play": "in.wav", "--digits": "KEYS"}[option],
            help=f"{meaning}, when it is the caller's turn; may be repeated, in any order",
        )
    parser.add_argument("--mic", action="store_true", help="speak yourself (not available yet)")
    parser.add_argument("--out", type=Path, metavar="heard.wav", help="write what a phone would have played")
    parser.add_argument("--seconds", type=positive, help="hang up after so long, not when it is quiet")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.mic:
        complain("--mic is not available yet; record yourself and give the file to --play")
        return UNUSABLE
    try:
        report = asyncio.run(_call(args))
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
    """An argument that is the URL of a webhook."""
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is not an address such as http://localhost:8000/voice")
    return text


def positive(text: str) -> float:
    """An argument that is a number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


async def _call(args: argparse.Namespace) -> CallReport:
    turns = await _turns(args.turns or [])  # before the phone rings: synthesis takes a while
    patience = (
        Patience() if args.seconds is None else Patience(longest_s=args.seconds, quiet_before_end_ms=None)
    )
    async with AsyncExitStack() as stack:
        url = args.url or await stack.enter_async_context(at_hand(os.environ))
        return await simulate_call(replace(base_plan(url), turns=turns, patience=patience))


async def _turns(wanted: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    turns = []
    for kind, given in wanted:
        match kind:
            case "say":
                turns.append(Turn(await voice.spoken(given)))
            case "play":
                turns.append(Turn(await asyncio.to_thread(voice.from_file, Path(given))))
            case _:
                turns.append(Turn(digits=given))
    return tuple(turns)


def _said(text: str) -> tuple[str, str]:
    if not text.strip():
        raise argparse.ArgumentTypeError("there is nothing to say")
    return "say", text


def _played(text: str) -> tuple[str, str]:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not a file")
    return "play", text


def _pressed(text: str) -> tuple[str, str]:
    if not text or set(text) - KEYS:
        raise argparse.ArgumentTypeError(f"{text!r} has other keys than 0-9, * and #")
    return "digits", text


_TYPES = {"--say": _said, "--play": _played, "--digits": _pressed}
