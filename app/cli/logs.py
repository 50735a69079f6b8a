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
OF_THE_FLEET = "replica"  # shown where there are several
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


class Lines:
    """How events are shown; their replica as soon as there was more than one."""

    def __init__(self, *, as_json: bool, replicas: int) -> None:
        self._as_json = as_json
        self._replicas = replicas
        self._seen: set[str] = set()

    def line(self, event: dict[str, Any]) -> str:
        if self._as_json:
            return json.dumps(event)
        self._seen.add(str(event.get(OF_THE_FLEET, "")))
        hidden = LEAD_FIELDS if max(self._replicas, len(self._seen)) > 1 else (*LEAD_FIELDS, OF_THE_FLEET)
        fields = " ".join(f"{key}={value}" for key, value in event.items() if key not in hidden)
        lead = [str(event.get(key, ""))[:26] for key in LEAD_FIELDS]
        return f"{lead[0]} {lead[1]:<8}{lead[3][-8:]:<9} {event.get('event', ''):<28} {fields}".rstrip()


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
    page = _page(http, query)
    if page.get("store") == "away":
        complain(f"the store is away: these are the events of replica {page.get('replica')} only")
    show = Lines(as_json=args.json, replicas=page.get("replicas", 1))
    for event in page["events"]:
        print(show.line(event))
    if args.follow:
        for event in _live(http, query):
            print(show.line(event), flush=True)
    return 0


def _latest_call(http: httpx.Client) -> str:
    events = _page(http, {"limit": str(LOG_LIMIT)})["events"]
    calls = [event["call_sid"] for event in events if event.get("call_sid")]
    return str(calls[-1]) if calls else ""


def _page(http: httpx.Client, query: dict[str, str]) -> dict[str, Any]:
    page: dict[str, Any] = http.get("/logs", params=query).raise_for_status().json()
    return page


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


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
