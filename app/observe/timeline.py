"""One call's story, told by its events: which streams it had, what was said when, how long callers waited."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.log import Event

FIGURES = ("duration_s", "turns", "barge_ins", "first_audio_ms", "ttfa_ms_p50")  # of `call.ended`


def ended_calls(events: Iterable[Event], *, besides: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The last ending of each call, newest first; `besides` are live again.

    Args:
        events: `call.ended`, newest last.
    """
    last: dict[str, Event] = {}
    for event in events:
        call_sid = str(event.get("call_sid", ""))
        last.pop(call_sid, None)
        last[call_sid] = event
    live = {"", *besides}
    return [
        {
            "call_sid": call_sid,
            "ending": event.get("reason"),
            "ended_at": event.get("timestamp"),
            "replica": event.get("replica"),
            **{name: event.get(name) for name in FIGURES},
        }
        for call_sid, event in reversed(last.items())
        if call_sid not in live
    ]


def streams_of(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The call's streams, oldest first: each with its replica, and its ending unless it has none yet."""
    streams: list[dict[str, Any]] = []
    for event in events:
        if event.get("event") == "stream.started":
            begun = {"stream_sid": event.get("stream_sid"), "replica": event.get("replica")}
            streams.append({**begun, "started_at": event.get("timestamp"), "ended_at": None, "ending": None})
        elif event.get("event") == "call.ended":
            open_ones = (
                stream
                for stream in streams
                if stream["ending"] is None and stream["replica"] == event.get("replica")
            )
            for stream in open_ones:
                stream.update(ended_at=event.get("timestamp"), ending=event.get("reason"))
    return streams


def turns_of(events: Iterable[Event]) -> list[dict[str, Any]]:
    """What the caller said, and how long until the reply began; a turn without words was taken by keys."""
    turns: list[dict[str, Any]] = []
    for event in events:
        name = event.get("event")
        if name == "hearing.transcribed":
            turns.append(_turn(event, words=event.get("pii.text"), confidence=event.get("confidence")))
        elif name == "turn.replied":
            if not turns or turns[-1]["reply_ms"] is not None:
                turns.append(_turn(event))
            turns[-1]["reply_ms"] = event.get("ttfa_ms")
    return turns


def latencies_of(events: Sequence[Event]) -> dict[str, Any]:
    """What the caller waited for, in ms: count, median and worst of each."""
    return {
        "first_audio_ms": _summary(events, "call.ended", "first_audio_ms"),
        "reply_ms": _summary(events, "turn.replied", "ttfa_ms"),
        "speech_ttfb_ms": _summary(events, "speech.rendered", "ttfb_ms"),
    }


def _turn(event: Event, *, words: object = None, confidence: object = None) -> dict[str, Any]:
    return {"at": event.get("timestamp"), "words": words, "confidence": confidence, "reply_ms": None}


def _summary(events: Iterable[Event], name: str, field: str) -> dict[str, Any] | None:
    told = (event.get(field) for event in events if event.get("event") == name)
    values = sorted(value for value in told if isinstance(value, int | float))
    if not values:
        return None
    return {"count": len(values), "p50": values[len(values) // 2], "max": values[-1]}
