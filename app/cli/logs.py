"""`hotline logs`: what happened, read from a running hotline."""

import argparse
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx

from app.cli.terminal import complain

LOG_LIMIT = 5000
UNTIL_ANSWER_S = 5.0  # seconds
LEAD_FIELDS = ("timestamp", "level", "event", "call_sid")
EXAMPLES = """\
examples:
  hotline logs --latest                        the last call, line by line
  hotline logs --call CA0123 --errors
  hotline logs --follow
  ADMIN_TOKEN=... hotline logs --url https://voice.example.com --latest --json
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "logs",
        help="show what happened on calls",
        description="Read the events of a running hotline; ADMIN_TOKEN opens a remote one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = f"http://localhost:{os.environ.get('PORT') or 8000}"
    parser.add_argument("--url", default=default, help=f"where hotline answers (default {default})")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--call", metavar="SID", default="", help="only this call")
    which.add_argument("--latest", action="store_true", help="only the call that began last")
    parser.add_argument("--errors", action="store_true", help="only warnings and errors")
    parser.add_argument("--follow", action="store_true", help="go on with new events as they happen")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    token = os.environ.get("ADMIN_TOKEN", "").split(",")[0].strip()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=args.url, headers=headers, timeout=UNTIL_ANSWER_S) as http:
            return _show(http, args)
    except httpx.HTTPStatusError as error:
        complain(f"{args.url} refused: {_reason(error.response)}")
    except httpx.TransportError as error:
        complain(
            f"nothing answers at {args.url} ({error}); start it with `hotline serve`, or name it with --url"
        )
    except httpx.InvalidURL as error:
        complain(f"--url {args.url!r} is not an address ({error})")
    return 2


def _show(http: httpx.Client, args: argparse.Namespace) -> int:
    query = {"limit": str(LOG_LIMIT), "call_sid": args.call, "level": "warning" if args.errors else ""}
    if args.latest:
        query["call_sid"] = _latest_call(http)
        if not query["call_sid"]:
            complain("no call has come yet; place one with `hotline call`")
            return 1
    events = _events(http, query)
    for event in events:
        print(_line(event, as_json=args.json))
    if args.follow:
        for event in _live(http, query):
            print(_line(event, as_json=args.json), flush=True)
    return 0


def _latest_call(http: httpx.Client) -> str:
    calls = [event["call_sid"] for event in _events(http, {"limit": str(LOG_LIMIT)}) if event.get("call_sid")]
    return str(calls[-1]) if calls else ""


def _events(http: httpx.Client, query: dict[str, str]) -> list[dict[str, Any]]:
    answer = http.get("/logs", params=query).raise_for_status()
    events: list[dict[str, Any]] = answer.json()["events"]
    return events


def _live(http: httpx.Client, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    with http.stream(
        "GET", "/logs/stream", params=query, timeout=httpx.Timeout(UNTIL_ANSWER_S, read=60)
    ) as answer:
        if answer.is_error:
            answer.read()
            answer.raise_for_status()
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def _line(event: dict[str, Any], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(event)
    fields = " ".join(f"{key}={value}" for key, value in event.items() if key not in LEAD_FIELDS)
    lead = [str(event.get(key, ""))[:26] for key in LEAD_FIELDS]
    return f"{lead[0]} {lead[1]:<8}{lead[3][-8:]:<9} {event.get('event', ''):<28} {fields}".rstrip()


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
