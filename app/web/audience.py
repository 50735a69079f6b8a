"""For whom each path is: one that is not listed is an operator's, and a test fails until it is listed."""

from enum import StrEnum


class Audience(StrEnum):
    """Who may be answered on a path."""

    PUBLIC = "public"  # anybody: tells no key, number or word
    TWILIO = "twilio"  # who can sign as Twilio does
    OPERATOR = "operator"  # who bears ADMIN_TOKEN, or a program on this machine where there is none


AUDIENCES = {
    "/": Audience.PUBLIC,
    "/livez": Audience.PUBLIC,
    "/readyz": Audience.PUBLIC,
    "/health/streaming": Audience.PUBLIC,
    "/voice": Audience.TWILIO,
    "/voice/after": Audience.TWILIO,
    "/voice/queue": Audience.TWILIO,
    "/voice/queue/key": Audience.TWILIO,
    "/voice/queue/recorded": Audience.TWILIO,
    "/voice/status": Audience.TWILIO,
    "/stream/status": Audience.TWILIO,
    "/recording/status": Audience.TWILIO,
    "/audio/hold/{piece:int}.wav": Audience.TWILIO,  # music, so nobody who asks is refused
    "/debug-websocket-voice": Audience.TWILIO,  # an operator may ask as well
    "/media-stream": Audience.TWILIO,
    "/test-websocket-debug": Audience.TWILIO,
    "/logs": Audience.OPERATOR,
    "/logs/streaming": Audience.OPERATOR,
    "/logs/stream": Audience.OPERATOR,
    "/metrics": Audience.OPERATOR,
    "/status": Audience.OPERATOR,
    "/pool": Audience.OPERATOR,
    "/calls": Audience.OPERATOR,
    "/calls/{call_sid}": Audience.OPERATOR,
    "/v1/audio/speech": Audience.OPERATOR,
}


def audience_of(path: str) -> Audience:
    """For whom `path` is, as it was asked for."""
    return AUDIENCES.get(path, Audience.OPERATOR)
