"""The event stream for operators: as JSON, and live as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from app.log import Event
from app.observe.ring import LEVELS, Filter
from app.web.access import Refused, require_operator
from app.web.parts import Parts

DEFAULT_LIMIT = 200
MOST_EVENTS = 5000
KEEP_ALIVE_S = 15.0  # seconds between comments on a quiet live stream, so that proxies keep it open
NO_STORE = {"Cache-Control": "no-store"}


class Logs:
    """The log routes of one assembled hotline."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [
            Route("/logs", self.everything),
            Route("/logs/streaming", self.audio_path),
            Route("/logs/stream", self.live),
        ]

    async def everything(self, request: Request) -> Response:
        return self._recent(request, audio_path=False)

    async def audio_path(self, request: Request) -> Response:
        return self._recent(request, audio_path=True)

    async def live(self, request: Request) -> Response:
        """Events as they happen; `Last-Event-ID` first brings what was missed and is still kept."""
        require_operator(request, self._parts.locks)
        wanted = _filter(request, audio_path=False)
        last_seen = request.headers.get("last-event-id", "")
        body = self._follow(wanted, int(last_seen) if last_seen.isdecimal() else None)
        return StreamingResponse(body, media_type="text/event-stream", headers=NO_STORE)

    def _recent(self, request: Request, *, audio_path: bool) -> Response:
        require_operator(request, self._parts.locks)
        events = self._parts.ring.last(_limit(request), _filter(request, audio_path=audio_path))
        return JSONResponse({"events": events}, headers=NO_STORE)

    async def _follow(self, wanted: Filter, last_seen: int | None) -> AsyncIterator[str]:
        ring = self._parts.ring
        with ring.follow(wanted) as follower:
            yield ": following\n\n"
            if last_seen is not None:
                for number, event in ring.after(last_seen, wanted):
                    yield _server_sent(number, event)
            while True:
                while follower.waiting:
                    yield _server_sent(*follower.waiting.popleft())
                follower.bell.clear()
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await follower.bell.wait()
                except TimeoutError:
                    yield ": still here\n\n"


def _server_sent(number: int, event: Event) -> str:
    return f"id: {number}\ndata: {json.dumps(event, default=str)}\n\n"


def _filter(request: Request, *, audio_path: bool) -> Filter:
    given = request.query_params
    level = given.get("level", "").lower()
    if level and level not in LEVELS:
        raise Refused(400, f"level: {level!r} is none of {', '.join(LEVELS)}")
    return Filter(
        call_sid=given.get("call_sid", ""),
        level=level,
        event=given.get("event", ""),
        since=given.get("since", ""),
        audio_path=audio_path,
    )


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not given.isdecimal() or not 1 <= int(given) <= MOST_EVENTS:
        raise Refused(400, f"limit: {given!r} is not a number from 1 to {MOST_EVENTS}")
    return int(given)
