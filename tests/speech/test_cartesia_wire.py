import json

import msgspec
import pytest

from app.errors import Failure
from app.speech.cartesia_wire import (
    Message,
    decode_message,
    of_close,
    of_handshake,
    of_message,
    request,
    socket_url,
)
from tests.standins.cartesia import KEY, VOICE

SECRETS = [KEY]


def test_the_address_is_a_socket_with_the_version_of_the_interface() -> None:
    assert socket_url("https://api.cartesia.ai/") == (
        "wss://api.cartesia.ai/tts/websocket?cartesia_version=2026-03-01"
    )
    assert socket_url("http://127.0.0.1:9").startswith("ws://127.0.0.1:9/")


def test_a_request_is_the_documented_one() -> None:
    assert request(VOICE, "sonic-3.5", "en", "ulaw_8000", aligned=True) == {
        "model_id": "sonic-3.5",
        "voice": {"mode": "id", "id": VOICE},
        "language": "en",
        "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
        "add_timestamps": True,
        "use_normalized_timestamps": False,
        "continue": False,
        "max_buffer_delay_ms": 0,
    }
    pcm = request(VOICE, "sonic-3.5", "en", "pcm_16000", aligned=False)
    assert pcm["output_format"] == {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000}


def test_a_chunk_holds_audio() -> None:
    text = '{"type":"chunk","data":"/38=","done":false,"status_code":206,"step_time":123.4,"context_id":"a"}'
    message = decode_message(text)

    assert (message.type, message.context_id, message.data) == ("chunk", "a", b"\xff\x7f")


def test_timestamps_hold_words() -> None:
    told = {"words": ["Hello", "world"], "start": [0, 0.5], "end": [0.4, 0.9]}
    message = decode_message(json.dumps({"type": "timestamps", "done": False, "word_timestamps": told}))

    assert message.word_timestamps is not None
    assert message.word_timestamps.end == [0.4, 0.9]


@pytest.mark.parametrize("text", ["", "{not json", '{"type":"chunk","data":"%"}', '{"type":1}', "[]"])
def test_what_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_message(text)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, Failure.BAD_REQUEST),
        (401, "unauthorized", Failure.AUTH),
        (402, None, Failure.QUOTA),
        (402, "quota_exceeded", Failure.QUOTA),
        (403, "plan_upgrade_required", Failure.AUTH),
        (404, "voice_not_found", Failure.BAD_REQUEST),
        (404, "model_not_found", Failure.BAD_REQUEST),
        (429, "concurrency_limited", Failure.OVER_LIMIT),
        (429, None, Failure.OVER_LIMIT),
        (429, "rate_limited", Failure.BUSY),
        (500, None, Failure.BUSY),
        (503, "something new", Failure.BUSY),
        (0, None, Failure.BUSY),
    ],
)
def test_errors_are_sorted(status: int, code: str | None, kind: Failure) -> None:
    error = of_message(Message("error", status_code=status, error_code=code, title="T", message="M"), SECRETS)

    assert (error.kind, error.provider) == (kind, "cartesia")
    assert error.message.endswith("T: M")


def test_errors_of_older_versions_are_a_sentence() -> None:
    error = of_message(Message("error", status_code=400, error="context_id is invalid: it is empty"), SECRETS)

    assert error.kind is Failure.BAD_REQUEST
    assert "context_id is invalid" in error.message


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"Unauthorized", Failure.AUTH),
        (401, b'{"error_code":"unauthorized","title":"No","message":"bad key"}', Failure.AUTH),
        (402, b"", Failure.QUOTA),
        (404, b"404 page not found", Failure.BAD_REQUEST),
        (429, b'{"error_code":"concurrency_limited"}', Failure.OVER_LIMIT),
        (429, b"too many connections", Failure.BUSY),
        (502, b"<html>", Failure.BUSY),
    ],
)
def test_refused_handshakes_are_sorted(status: int, body: bytes, kind: Failure) -> None:
    error = of_handshake(status, body, SECRETS, 3.0)

    assert (error.kind, error.retry_after_s) == (kind, 3.0)
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, "closed"),
        (1001, "closed"),
        (1006, "network"),
        (1008, "bad_request"),
        (1009, "garbage"),
        (1011, "busy"),
    ],
)
def test_closes_are_sorted(code: int, kind: str) -> None:
    assert of_close(code, "", SECRETS).kind == kind
    assert of_close(code, "", SECRETS).message == f"closed with {code}"
    assert of_close(code, "why", SECRETS).message == f"closed with {code}: why"


@pytest.mark.parametrize("echo", [KEY, KEY[:12] + "***", "sk_car_of_somebody_else"])
def test_no_key_leaves(echo: str) -> None:
    for error in (
        of_message(Message("error", status_code=401, message=f"bad key {echo}"), SECRETS),
        of_handshake(401, f"bad key {echo}".encode(), SECRETS, 0),
        of_close(1008, f"bad key {echo}", SECRETS),
    ):
        assert "sk_car" not in str(error)
        assert "[key]" in str(error)
