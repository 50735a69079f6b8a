"""Errors of the library in our own terms."""

import httpx2
import pytest
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from app.conversation.llm_errors import as_failure, garbage
from app.errors import Failure

REQUEST = httpx2.Request("POST", "http://localhost/v1/chat/completions")


def status_error(status: int, body: object = None, **headers: str) -> APIStatusError:
    response = httpx2.Response(status, headers=headers, request=REQUEST)
    return APIStatusError("they said: no", response=response, body=body)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, Failure.BAD_REQUEST),
        (400, "context_length_exceeded", Failure.BAD_REQUEST),
        (401, None, Failure.AUTH),
        (403, None, Failure.AUTH),
        (402, None, Failure.QUOTA),
        (404, "model_not_found", Failure.BAD_REQUEST),
        (408, None, Failure.TIMEOUT),
        (429, "rate_limit_exceeded", Failure.BUSY),
        (429, None, Failure.BUSY),
        (429, "insufficient_quota", Failure.QUOTA),
        (500, None, Failure.BUSY),
        (504, None, Failure.TIMEOUT),
        (529, "overloaded_error", Failure.BUSY),
    ],
)
def test_status_and_code_say_what_went_wrong(status: int, code: str | None, kind: Failure) -> None:
    assert as_failure(status_error(status, {"code": code}), "").kind is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": 429}, Failure.BUSY),
        ({"code": "402"}, Failure.QUOTA),
        ({"code": "content_filter"}, Failure.BAD_REQUEST),
        ({"type": "server_error"}, Failure.BUSY),
        ({}, Failure.BUSY),
        (None, Failure.BUSY),
    ],
)
def test_an_error_in_the_stream_has_its_own_code(body: object, kind: Failure) -> None:
    assert as_failure(APIError("no", REQUEST, body=body), "").kind is kind


def test_connections_and_time() -> None:
    assert as_failure(APITimeoutError(REQUEST), "").kind is Failure.TIMEOUT
    assert as_failure(APIConnectionError(request=REQUEST), "").kind is Failure.NETWORK
    assert garbage(ValueError("they said: no")).kind is Failure.GARBAGE


def test_the_vendors_words_stay_out_of_the_message() -> None:
    error = as_failure(status_error(400, {"code": "the caller said my name is Anna"}), "")

    assert str(error) == "llm: bad_request: HTTP 400"
    assert error.words == "they said: no"
    assert "no" not in str(garbage(ValueError("no"))).removeprefix("llm: garbage: no chat completion")


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("nan", 0.0), ("Wed, 21 Oct 2026", 0.0)]
)
def test_retry_after_in_seconds(header: str, seconds: float) -> None:
    assert as_failure(status_error(429, **{"retry-after": header}), "").retry_after_s == seconds
