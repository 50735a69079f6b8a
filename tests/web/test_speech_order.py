"""What is taken for an order, and how the rest is refused."""

import json
from typing import Any

import pytest
from starlette.requests import Request

from app.web.access import Refused
from app.web.speech_order import SpeechOrder, SpeechRefused, read_order, refusal

JSON = "application/json; charset=utf-8"


async def read(body: bytes, declared: str = JSON) -> SpeechOrder:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", declared.encode())]}
    return await read_order(Request(scope, receive), 100)


async def test_the_least_order_is_a_text() -> None:
    order = await read(b'{"input": "Hello.", "voice": {"id": "v"}, "speed": null, "something_new": [1]}')

    assert (order.input, order.form, order.pace, order.as_events) == ("Hello.", "mp3", 1.0, False)


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        (b"", 400, None, "invalid_json"),
        (b"{", 400, None, "invalid_json"),
        (b"\xff\xfe", 400, None, "invalid_json"),
        (b'{"input": "\\ud800"}', 400, None, "invalid_json"),
        (b"[" * 100_000, 413, None, "too_large"),
        (b'{"input": "a", "x": ' + b"[" * 50_000, 400, None, "invalid_json"),
        (b"[]", 400, None, "invalid_type"),
        (b"{}", 400, "input", "invalid_type"),
        (b'{"input": 7}', 400, "input", "invalid_type"),
        (b'{"input": " - "}', 400, "input", "invalid_value"),
        (b'{"input": "' + b"a" * 101 + b'"}', 400, "input", "string_above_max_length"),
        (b'{"input": "a", "response_format": "midi"}', 400, "response_format", "invalid_value"),
        (b'{"input": "a", "stream_format": "morse"}', 400, "stream_format", "invalid_value"),
        (b'{"input": "a", "speed": 0}', 400, "speed", "invalid_value"),
        (b'{"input": "a", "speed": 4.1}', 400, "speed", "invalid_value"),
        (b'{"input": "a", "speed": NaN}', 400, None, "invalid_json"),
        (b'{"input": "a", "speed": "fast"}', 400, "speed", "invalid_type"),
        (b'{"input": "' + b"a" * 70_000 + b'"}', 413, None, "too_large"),
    ],
)
async def test_what_cannot_be_followed_is_refused_by_name(
    body: bytes, status: int, param: str | None, code: str
) -> None:
    with pytest.raises(SpeechRefused) as refused:
        await read(body)

    assert (refused.value.status, refused.value.param, refused.value.code) == (status, param, code)


async def test_a_form_is_not_json() -> None:
    with pytest.raises(SpeechRefused) as refused:
        await read(b"input=Hello", "application/x-www-form-urlencoded")

    assert refused.value.status == 415


async def test_the_longest_text_may_be_escaped_in_full() -> None:
    order = await read(json.dumps({"input": "\U0001f600" * 99 + "a"}).encode())

    assert len(order.input) == 100


def test_refusals_have_openais_shape() -> None:
    body = json.loads(bytes(refusal(SpeechRefused(429, "slow", code="rate_limit_exceeded")).body))
    locked = refusal(Refused(401, "no"))

    assert body == {
        "error": {
            "message": "slow",
            "type": "rate_limit_error",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }
    assert locked.headers["www-authenticate"] == "Bearer"
    assert json.loads(bytes(locked.body))["error"]["code"] == "invalid_api_key"
