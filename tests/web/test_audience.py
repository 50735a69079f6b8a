"""For whom each path is."""

import pytest

from app.web.audience import AUDIENCES, Audience, audience_of, is_operators, role_for
from app.web.roles import Role


def test_a_path_that_nobody_listed_is_the_operators() -> None:
    assert audience_of("/recordings/RE1") is Audience.OPERATOR
    assert audience_of("/voice/") is Audience.OPERATOR
    assert audience_of("/voice") is Audience.TWILIO
    assert audience_of("/livez") is Audience.PUBLIC
    assert is_operators("/calls/CA1") and is_operators("/logs") and not is_operators("/voice")


def test_a_path_with_a_part_that_varies_is_found_by_its_shape() -> None:
    assert audience_of("/audio/hold/7.wav") is Audience.TWILIO
    assert audience_of("/audio/hold/x.wav") is Audience.TWILIO  # which is answered with 404, in our words
    assert audience_of("/audio/hold/7.wav/more") is Audience.OPERATOR


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/logs", Role.VIEW),
        ("HEAD", "/logs", Role.VIEW),
        ("DELETE", "/logs", Role.OPERATE),
        ("POST", "/v1/audio/speech", Role.OPERATE),
        ("GET", "/nothing", Role.OPERATE),
        ("GET", "/debug-websocket-voice", Role.OPERATE),
    ],
)
def test_looking_takes_less_than_operating(method: str, path: str, role: Role) -> None:
    assert role_for(method, path) is role


def test_threat_7_only_what_shows_something_is_for_viewers() -> None:
    viewers = {path for path, audience in AUDIENCES.items() if audience is Audience.VIEWER}

    logs = {"/logs", "/logs/streaming", "/logs/stream"}
    assert viewers == {*logs, "/calls", "/calls/{call_sid}", "/metrics", "/status", "/pool"}
