import json

import pytest

from app.errors import Failure
from app.speech.elevenlabs_errors import Fault, as_error, of_close, of_frame, of_http, retry_after_s
from tests.standins.elevenlabs_script import FRAMES

KEY = "sk_0123456789abcdef0123456789abcdef"
KIND_OF_FRAME = {
    "invalid_api_key": Failure.AUTH,
    "authentication_required": Failure.AUTH,
    "voice_id_does_not_exist": Failure.BAD_REQUEST,
    "input_timeout_exceeded": Failure.CLOSED,
    "quota_exceeded": Failure.QUOTA,
    "max_active_conversations": Failure.OVER_LIMIT,
    "too_many_concurrent_requests": Failure.OVER_LIMIT,
    "system_busy": Failure.BUSY,
}


def test_every_frame_of_the_vendor_is_known() -> None:
    assert {word: of_frame(word, message).kind for word, message in FRAMES.items()} == KIND_OF_FRAME


@pytest.mark.parametrize(("word", "message"), FRAMES.items())
def test_a_close_reason_alone_tells_the_same_as_its_frame(word: str, message: str) -> None:
    if word == "system_busy":
        message = "system_busy"

    assert of_close(1008, message[:123]).kind == KIND_OF_FRAME[word]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, Failure.CLOSED),
        (1001, Failure.CLOSED),
        (1006, Failure.NETWORK),
        (1008, Failure.BAD_REQUEST),
        (1009, Failure.GARBAGE),
        (1011, Failure.NETWORK),
        (1012, Failure.BUSY),
        (1013, Failure.BUSY),
    ],
)
def test_a_close_without_a_reason_is_known_by_its_code(code: int, kind: Failure) -> None:
    assert of_close(code, "") == Fault(kind, f"closed with {code}")


def test_a_frame_with_a_new_word_is_known_by_its_message() -> None:
    assert of_frame("brand_new", "You have 0 credits remaining").kind == Failure.QUOTA


def test_a_frame_that_says_nothing_is_a_refusal() -> None:
    assert of_frame({"odd": 1}, None) == Fault(Failure.BAD_REQUEST, '{"odd": 1}')


@pytest.mark.parametrize(
    ("status", "type_", "code", "word", "kind"),
    [
        (400, "authentication_error", "invalid_api_key", "invalid_api_key", Failure.AUTH),
        (400, "validation_error", "text_too_long", "max_character_limit_exceeded", Failure.BAD_REQUEST),
        (400, None, None, "model_not_found", Failure.BAD_REQUEST),
        (400, None, "invalid_parameters", "input_text_empty", Failure.BAD_REQUEST),
        (400, None, "invalid_voice_settings", "invalid_voice_settings", Failure.BAD_REQUEST),
        (400, "validation_error", "unsupported_model", "unsupported_model", Failure.BAD_REQUEST),
        (400, None, None, "quota_exceeded", Failure.QUOTA),
        (401, "authentication_error", "unauthorized", "invalid_api_key", Failure.AUTH),
        (401, "authentication_error", "unauthorized", "needs_authorization", Failure.AUTH),
        (401, "authentication_error", "unauthorized", "invalid_authorization_header", Failure.AUTH),
        (401, None, None, "quota_exceeded", Failure.QUOTA),
        (402, "payment_required", "insufficient_credits", None, Failure.QUOTA),
        (402, "payment_required", "payment_required", None, Failure.QUOTA),
        (403, "authorization_error", "subscription_required", "output_format_not_allowed", Failure.AUTH),
        (403, "validation_error", "invalid_output_format", "invalid_output_format", Failure.BAD_REQUEST),
        (404, "not_found", "voice_not_found", "voice_not_found", Failure.BAD_REQUEST),
        (409, "conflict", None, None, Failure.BUSY),
        (
            429,
            "rate_limit_error",
            "concurrent_limit_exceeded",
            "too_many_concurrent_requests",
            Failure.OVER_LIMIT,
        ),
        (429, "rate_limit_error", "rate_limit_exceeded", None, Failure.BUSY),
        (429, "rate_limit_error", "system_busy", "system_busy", Failure.BUSY),
        (500, "internal_error", None, None, Failure.BUSY),
        (503, "service_unavailable", None, None, Failure.BUSY),
    ],
)
def test_every_http_error_of_the_vendor_is_known(
    status: int, type_: str | None, code: str | None, word: str | None, kind: Failure
) -> None:
    parts = {"type": type_, "code": code, "status": word, "message": "It is so.", "request_id": "r1"}
    body = {"detail": {name: value for name, value in parts.items() if value}}

    assert of_http(status, body) == Fault(kind, f"HTTP {status}: It is so.")
    assert of_http(status, json.dumps(body).encode()) == Fault(kind, f"HTTP {status}: It is so.")


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, {"detail": {"status": "quota_exceeded", "message": "m"}}, Failure.QUOTA, "HTTP 401: m"),
        (
            422,
            {"detail": [{"type": "missing", "loc": ["body", "text"], "msg": "Field required"}]},
            Failure.BAD_REQUEST,
            'HTTP 422: ["body", "text"]: Field required',
        ),
        (404, {"detail": "Not Found"}, Failure.BAD_REQUEST, "HTTP 404: Not Found"),
        (502, "<html>Bad\n Gateway</html>", Failure.BUSY, "HTTP 502: <html>Bad Gateway</html>"),
        (504, b"\xff\xfe", Failure.TIMEOUT, "HTTP 504: \ufffd\ufffd"),
        (429, b"", Failure.BUSY, "HTTP 429"),
        (418, None, Failure.BAD_REQUEST, "HTTP 418"),
        (429, b"too many concurrent requests", Failure.OVER_LIMIT, "HTTP 429: too many concurrent requests"),
        (200, b'{"detail":{"status":"quota_exceeded"}}', Failure.QUOTA, "HTTP 200"),
        (200, b'{"hello":1}', Failure.GARBAGE, "HTTP 200"),
        (500, [], Failure.BUSY, "HTTP 500: []"),
        (500, b"[" * 100_000, Failure.BUSY, None),
    ],
)
def test_every_shape_of_a_body_is_read(status: int, body: object, kind: Failure, message: str | None) -> None:
    fault = of_http(status, body)

    assert fault.kind == kind
    assert message is None or fault.message == message


@pytest.mark.parametrize("echo", [KEY, KEY[:11], f"'{KEY}'"])
def test_a_key_that_the_vendor_echoes_is_masked_also_in_part(echo: str) -> None:
    error = as_error(Fault(Failure.AUTH, f"API key {echo} is invalid"), KEY)

    assert KEY[:8] not in str(error)
    assert "[key]" in error.message
    assert (error.provider, error.kind) == ("elevenlabs", Failure.AUTH)


def test_a_long_message_is_cut_after_it_was_masked() -> None:
    assert len(as_error(Fault(Failure.BUSY, "x" * 1000), "").message) == 300
    assert KEY[:8] not in as_error(Fault(Failure.BUSY, "x" * 290 + " " + KEY), KEY).message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("nan", 0.0),
        ("1e9", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
    ],
)
def test_only_seconds_are_understood_as_a_wish_to_be_left_alone(header: str, seconds: float) -> None:
    assert retry_after_s({"retry-after": header}) == seconds
    assert retry_after_s({}) == 0.0


@pytest.mark.parametrize("levels", range(900, 1_000, 3))
def test_an_error_nested_as_deep_as_can_be_read_is_understood(levels: int) -> None:
    nested: object = []
    for _ in range(levels):
        nested = [nested]

    assert of_frame(nested, None).kind is Failure.BAD_REQUEST
    assert of_http(422, {"detail": [{"loc": nested, "msg": nested}]}).kind is Failure.BAD_REQUEST
