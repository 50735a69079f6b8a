"""The calls of all replicas, for operators: the live ones, those that ended, and the whole story of one."""

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.calls.resume import Record
from app.conversation.history import History
from app.log import MASK
from app.observe.fleet import Reach, Replica
from app.observe.ring import Filter
from app.observe.timeline import ended_calls, latencies_of, streams_of, turns_of
from app.web.access import CALL_SID, Refused, require_operator
from app.web.logs import NO_STORE, limit_of
from app.web.parts import Parts
from app.web.status import reach_of, replicas_of, signature

USUAL_ENDED, MOST_ENDED = 50, 500  # calls on the list
USUAL_EVENTS, MOST_EVENTS = 500, 5000  # of one call; the newest
CHOICES = ("replica", "state", "ending")


class Calls:
    """The call routes of one assembled hotline."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [
            Route("/calls", self.all, methods=["GET"]),
            Route("/calls/{call_sid}", self.one, methods=["GET"]),
        ]

    async def all(self, request: Request) -> Response:
        """Live calls, the oldest first, and the `limit` that ended last."""
        parts = self._parts
        require_operator(request, parts.locks)
        limit = limit_of(request, usual=USUAL_ENDED, most=MOST_ENDED)
        live = _live(await replicas_of(parts))
        # A call that went from replica to replica has an ending for each of its streams.
        events, reach = await parts.chronicle.last(2 * limit, Filter(event="call.ended"))
        ended = ended_calls(events, besides=(call["call_sid"] for call in live))[:limit]
        body = {
            **signature(parts, _lesser(reach, reach_of(parts))),
            "live": _chosen(live, request),
            "ended": _chosen([{"state": "ended", **call} for call in ended], request),
        }
        return JSONResponse(body, headers=NO_STORE)

    async def one(self, request: Request) -> Response:
        """One call's streams, turns, latencies, words and events."""
        parts = self._parts
        require_operator(request, parts.locks)
        call_sid = request.path_params["call_sid"]
        if not CALL_SID.fullmatch(call_sid):
            raise Refused(400, "CallSid is not a call's id (CA and 32 hex digits)")
        limit = limit_of(request, usual=USUAL_EVENTS, most=MOST_EVENTS)
        replicas = await replicas_of(parts)
        events, reach = await parts.chronicle.last(limit, Filter(call_sid=call_sid))
        record = await parts.means.records.load(call_sid)
        live = next((call for call in _live(replicas) if call["call_sid"] == call_sid), None)
        if not events and record is None and live is None:
            raise Refused(404, "no such call is known: it never came, or is forgotten")
        streams = streams_of(events)
        body = {
            **signature(parts, _lesser(reach, reach_of(parts))),
            **_standing(call_sid, live, streams, record, {replica.name for replica in replicas}),
            "streams": streams,
            "turns": turns_of(events),
            "latencies": latencies_of(events),
            **self._words(record),
            "events": events,
        }
        return JSONResponse(body, headers=NO_STORE)

    def _words(self, record: Record | None) -> dict[str, object]:
        """What was said, where the conversation keeps it, and what is still to be heard."""
        history = History()
        history.restore(record.state.get("history") if record is not None else None)
        transcript = [
            {"who": entry.speaker.value, "text": self._shown(entry.text), "cut": entry.cut}
            for entry in history.entries()
        ]
        return {
            "conversation": record.conversation if record is not None else None,
            "transcript": transcript or None,
            "unheard": [self._shown(each.text) for each in record.unheard] if record is not None else [],
        }

    def _shown(self, words: str) -> str:
        return words if self._parts.shows_words else MASK


def _live(replicas: Iterable[Replica]) -> list[dict[str, Any]]:
    """Live calls, the oldest first; one that has just moved is where its newest stream is."""
    told = [
        {**call, "replica": replica.name, "age_ms": replica.age_ms}
        for replica in replicas
        for call in replica.status.get("calls", {}).get("list", ())
    ]
    in_order = sorted(told, key=lambda call: str(call.get("started_at", "")))
    newest = {str(call.get("call_sid", "")): call for call in in_order}
    return list(newest.values())


def _standing(
    call_sid: str,
    live: dict[str, Any] | None,
    streams: list[dict[str, Any]],
    record: Record | None,
    present: set[str],
) -> dict[str, object]:
    """What the call is doing, how it ended, and who serves or served it."""
    if live is not None:
        return {"call_sid": call_sid, "state": live.get("state"), "ending": None, "replica": live["replica"]}
    if streams:
        ending, replica = streams[-1]["ending"], streams[-1]["replica"]
    else:  # its events are forgotten, or it never had a stream
        ending, replica = (record.ending or None, record.replica) if record is not None else (None, None)
    if ending is not None:
        state = "ended"
    elif replica is None:
        state = "no_stream"
    else:
        state = "starting" if replica in present else "lost"
    return {"call_sid": call_sid, "state": state, "ending": ending, "replica": replica}


def _chosen(calls: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    """Those that the parameters of that name ask for."""
    wanted = {name: request.query_params[name] for name in CHOICES if request.query_params.get(name)}
    return [call for call in calls if all(call.get(name) == value for name, value in wanted.items())]


def _lesser(one: Reach, other: Reach) -> Reach:
    """Of whom a page tells that was put together from both."""
    return Reach.AWAY if Reach.AWAY in (one, other) else one
