"""What a hotline is doing, for its operators: live calls, and every scarce thing with its use."""

from dataclasses import asdict

from app import clock
from app.web.parts import Parts


def status_of(parts: Parts) -> dict[str, object]:
    """Of this process, in values that JSON can hold; no numbers, no words."""
    parts.admission.expire(clock.now())
    return {
        "calls": {
            "live": parts.admission.live,
            "reserved": parts.admission.taken - parts.admission.live,
            "max": parts.admission.max_calls,
            "list": [
                {"call_sid": call.call_sid, "stream_sid": call.stream_sid, "started_at": call.started_at}
                for call in parts.registry.live
            ],
        },
        "speech": {
            "providers": parts.voice.names,
            "failing": parts.voice.failing,
            "voices": [asdict(voice) for voice in parts.voice.status()],
        },
        "hearing": parts.recognisers.status(),
        "speech_api": parts.observers.requests.status(),
        "alarms": parts.observers.alarms.status(),
        "line": parts.reception.status(clock.now()),
        "door": {
            **parts.doorstep.figures(),
            "sockets_pending": len(parts.pending),
            "sockets_refused": parts.pending.refused,
        },
        "strain": {"reason": parts.strain.reason or None, **parts.strain.figures()},
    }
