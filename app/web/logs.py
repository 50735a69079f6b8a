"""The event stream for operators: as JSON, and live as server-sent events."""

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from app.log import Event
from app.observe.ring import LEVELS, Filter
from app.web.access import Refused, require_operator
from app.web.parts import Parts
from app.web.status import signature

DEFAULT_LIMIT = 200
MOST_EVENTS = 5000
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
        return await self._recent(request, audio_path=False)

    async def audio_path(self, request: Request) -> Response:
        return await self._recent(request, audio_path=True)

    async def live(self, request: Request) -> Response:
        """Events as they happen; `Last-Event-ID` first brings what was missed and is still kept."""
        require_operator(request, self._parts.locks)
        wanted = _filter(request, audio_path=False)
        body = self._follow(wanted, request.headers.get("last-event-id", ""))
        return StreamingResponse(body, media_type="text/event-stream", headers=NO_STORE)

    async def _recent(self, request: Request, *, audio_path: bool) -> Response:
        require_operator(request, self._parts.locks)
        limit = limit_of(request, usual=DEFAULT_LIMIT, most=MOST_EVENTS)
        events, reach = await self._parts.chronicle.last(limit, _filter(request, audio_path=audio_path))
        return JSONResponse({**signature(self._parts, reach), "events": events}, headers=NO_STORE)

    async def _follow(self, wanted: Filter, last_id: str) -> AsyncIterator[str]:
        yield ": following\n\n"
        async for told in self._parts.chronicle.follow(wanted, last_id):
            yield _server_sent(*told) if told is not None else ": still here\n\n"


def limit_of(request: Request, *, usual: int, most: int) -> int:
    """The parameter `limit`.

    Raises:
        Refused: 400 for what is no such number.
    """
    given = request.query_params.get("limit", str(usual))
    if not given.isdecimal() or len(given) > len(str(most)) or not 1 <= int(given) <= most:
        raise Refused(400, f"limit: {given!r} is not a number from 1 to {most}")
    return int(given)


def _server_sent(number: str, event: Event) -> str:
    """An event without a number leaves the reader's `Last-Event-ID` as it is."""
    return f"{f'id: {number}' if number else ': here only'}\ndata: {json.dumps(event, default=str)}\n\n"


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
