"""For whom each path is: one that is not listed is an operator's, and a test fails until it is listed."""

from enum import StrEnum

from starlette.routing import compile_path

from app.web.roles import Role

SAFE_METHODS = frozenset({"GET", "HEAD"})


class Audience(StrEnum):
    """Who may be answered on a path."""

    PUBLIC = "public"  # anybody: tells no key, number or word
    TWILIO = "twilio"  # who can sign as Twilio does
    VIEWER = "viewer"  # who bears VIEW_TOKEN; on GET alone, all else is the operator's
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
    "/audio/hold/{piece}.wav": Audience.TWILIO,  # music, so nobody who asks is refused
    "/debug-websocket-voice": Audience.TWILIO,  # an operator may ask as well
    "/media-stream": Audience.TWILIO,
    "/test-websocket-debug": Audience.TWILIO,
    "/logs": Audience.VIEWER,
    "/logs/streaming": Audience.VIEWER,
    "/logs/stream": Audience.VIEWER,
    "/metrics": Audience.VIEWER,
    "/status": Audience.VIEWER,
    "/pool": Audience.VIEWER,
    "/calls": Audience.VIEWER,
    "/calls/{call_sid}": Audience.VIEWER,
    "/v1/audio/speech": Audience.OPERATOR,  # it spends money
}
TEMPLATES = [(compile_path(path)[0], audience) for path, audience in AUDIENCES.items() if "{" in path]


def audience_of(path: str) -> Audience:
    """For whom `path` is, as it was asked for."""
    if path in AUDIENCES:
        return AUDIENCES[path]
    met = (audience for pattern, audience in TEMPLATES if pattern.match(path))
    return next(met, Audience.OPERATOR)


def is_operators(path: str) -> bool:
    """Whether `path` is nobody's but an operator's, in whichever role; or nothing is there."""
    return audience_of(path) in (Audience.VIEWER, Audience.OPERATOR)


def role_for(method: str, path: str) -> Role:
    """The least role that may do this."""
    return Role.VIEW if audience_of(path) is Audience.VIEWER and method in SAFE_METHODS else Role.OPERATE
