"""Signatures against published and computed vectors, and against Twilio's own validator."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from app.telephony.signature import (
    handshake_is_signed,
    json_is_signed,
    sign,
    unknown_algorithm,
    webhook_is_signed,
    websocket_url,
)

TOKEN = "12345"
TOKENS = ["an-older-token", TOKEN]
BRIDGE = "https://bridge.example.com"
PUBLISHED = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
]
JSON_BODY = b'{"a":1}'
JSON_PATH = "/hook?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"

VECTORS = [
    ("https://example.com/myapp.php?foo=1&bar=2", PUBLISHED, "L/OH5YylLD5NRKLltdqwSvS0BnU="),
    ("wss://bridge.example.com/media-stream", [], "VI9ej9ea3XwYotvICMoCR5PThYA="),
    ("wss://bridge.example.com/media-stream/", [], "cqSp4sENsUimjXHvwr/JyHT2cuM="),
    ("https://bridge.example.com/media-stream", [], "47kYEypdXmjANf7gFitPoXdc7fs="),
    ("wss://bridge.example.com:443/media-stream", [], "eLiDZFy1iags1INq5EG6ZWEjoCY="),
    ("https://bridge.example.com:443/media-stream", [], "+e43WJSByN+v2ltQhivhdPADU0o="),
    (BRIDGE + JSON_PATH, [], "86fdVKcdq5XPvIuv3q7XGXcK9L8="),
    ("https://a.example/x", [("a", "z"), ("b", "2"), ("b", "1"), ("b", "2")], "OqpTSkcyIZc4lpzVHqU2IqLyQfw="),
]


@pytest.mark.parametrize(("url", "params", "signature"), VECTORS)
def test_signatures_are_those_of_the_vectors(url: str, params: list[tuple[str, str]], signature: str) -> None:
    assert sign(TOKEN, url, params) == signature


words = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.lists(st.tuples(words, words), max_size=8))
def test_signatures_are_those_of_twilios_own_library(params: list[tuple[str, str]]) -> None:
    theirs = RequestValidator(TOKEN).compute_signature("https://h.example/voice", _Form(params))

    assert sign(TOKEN, "https://h.example/voice", params) == theirs
    assert webhook_is_signed(TOKENS, "https://h.example", "/voice", params, theirs)


class _Form(dict[str, list[str]]):
    """A form as Twilio's library reads it."""

    def __init__(self, params: list[tuple[str, str]]) -> None:
        super().__init__({name: [] for name, _ in params})
        for name, value in params:
            self[name].append(value)

    def getall(self, name: str) -> list[str]:
        return self[name]


def test_the_published_webhook_is_signed() -> None:
    header = VECTORS[0][2]

    assert webhook_is_signed(TOKENS, "https://example.com", "/myapp.php?foo=1&bar=2", PUBLISHED, header)
    assert webhook_is_signed(TOKENS, "https://example.com/", "/myapp.php?foo=1&bar=2", PUBLISHED, header)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/myapp.php?bar=2&foo=1", PUBLISHED),
        ("/myapp.php", PUBLISHED),
        ("/myapp.php/?foo=1&bar=2", PUBLISHED),
        ("/myapp.php?foo=1&bar=2", PUBLISHED[:-1]),
        ("/myapp.php?foo=1&bar=2", [*PUBLISHED, ("Blank", "")]),
        ("/myapp.php?foo=1&bar=2", [*PUBLISHED[:-1], ("To", "+18005551213")]),
    ],
)
def test_every_part_of_a_request_counts(path: str, params: list[tuple[str, str]]) -> None:
    assert not webhook_is_signed(TOKENS, "https://example.com", path, params, VECTORS[0][2])


def test_blank_values_count() -> None:
    params = [("CallSid", "CA1"), ("ToCity", "")]

    assert sign(TOKEN, "https://example.com/voice", params) != sign(
        TOKEN, "https://example.com/voice", params[:1]
    )
    assert webhook_is_signed(
        [TOKEN], "https://example.com", "/voice", params, sign(TOKEN, "https://example.com/voice", params)
    )


@pytest.mark.parametrize(
    ("public_url", "signed_url"),
    [
        ("https://h.example", "https://h.example/voice"),
        ("https://h.example", "https://h.example:443/voice"),
        ("https://h.example:443", "https://h.example/voice"),
        ("https://h.example:8443", "https://h.example:8443/voice"),
        ("https://h.example:8443", "https://h.example/voice"),
        ("http://localhost:8000", "http://localhost:8000/voice"),
        ("http://h.example", "http://h.example:80/voice"),
        ("https://user:secret@h.example", "https://h.example/voice"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/voice"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]/voice"),
        ("https://h.example/api/", "https://h.example/api/voice"),
    ],
)
def test_a_webhook_is_signed_with_or_without_its_port(public_url: str, signed_url: str) -> None:
    header = sign(TOKEN, signed_url)

    assert webhook_is_signed(TOKENS, public_url, "/voice", [], header)


@pytest.mark.parametrize(
    "signed_url",
    [
        "http://h.example/voice",
        "https://h.example.evil/voice",
        "https://h.example:8443/voice",
        "https://h.example/voice/",
        "https://h.example/voice#rc=2",
    ],
)
def test_a_signature_of_another_address_is_refused(signed_url: str) -> None:
    assert not webhook_is_signed(TOKENS, "https://h.example", "/voice", [], sign(TOKEN, signed_url))


@pytest.mark.parametrize("header", ["", "x", "L/OH5YylLD5NRKLltdqwSvS0BnU", "ä" * 28, "\udcff"])
def test_what_is_no_signature_is_refused(header: str) -> None:
    assert not webhook_is_signed(TOKENS, "https://example.com", "/myapp.php?foo=1&bar=2", PUBLISHED, header)


@pytest.mark.parametrize("tokens", [[], [""], ["wrong"]])
def test_without_the_right_token_nothing_is_signed(tokens: list[str]) -> None:
    for token in ("", TOKEN):
        assert not webhook_is_signed(tokens, BRIDGE, "/voice", [], sign(token, BRIDGE + "/voice"))
        assert not handshake_is_signed(tokens, BRIDGE, "/media-stream", sign(token, BRIDGE + "/media-stream"))


@pytest.mark.parametrize("vector", VECTORS[1:6])
def test_every_spelling_of_the_handshakes_address_is_accepted(
    vector: tuple[str, list[tuple[str, str]], str],
) -> None:
    assert handshake_is_signed(TOKENS, BRIDGE, "/media-stream", vector[2])
    assert handshake_is_signed(TOKENS, BRIDGE, "/media-stream/", vector[2])


@pytest.mark.parametrize(
    ("public_url", "path", "signed_url"),
    [
        ("http://localhost:8000", "/media-stream", "ws://localhost:8000/media-stream"),
        ("https://h.example", "/", "wss://h.example/"),
        ("https://h.example:8443", "/media-stream", "wss://h.example:8443/media-stream"),
        ("https://h.example/api", "/media-stream", "wss://h.example:443/api/media-stream/"),
    ],
)
def test_a_handshake_may_be_anywhere(public_url: str, path: str, signed_url: str) -> None:
    assert handshake_is_signed(TOKENS, public_url, path, sign(TOKEN, signed_url))


@pytest.mark.parametrize(
    "signed_url",
    [
        "ws://bridge.example.com/media-stream",
        "wss://bridge.example.com/other",
        "wss://other.example/media-stream",
    ],
)
def test_a_handshake_of_another_address_is_refused(signed_url: str) -> None:
    assert not handshake_is_signed(TOKENS, BRIDGE, "/media-stream", sign(TOKEN, signed_url))


def test_a_json_body_is_signed_through_its_hash() -> None:
    header = VECTORS[6][2]

    assert hashlib.sha256(JSON_BODY).hexdigest() in JSON_PATH
    assert json_is_signed(TOKENS, BRIDGE, JSON_PATH, JSON_BODY, header)
    assert not json_is_signed(TOKENS, BRIDGE, JSON_PATH, b'{"a": 1}', header)
    assert not json_is_signed(TOKENS, BRIDGE, JSON_PATH, JSON_BODY, "wrong")
    assert not json_is_signed(TOKENS, BRIDGE, "/hook", JSON_BODY, sign(TOKEN, BRIDGE + "/hook"))


@pytest.mark.parametrize(
    ("settings", "unknown"),
    [
        (None, None),
        ("", None),
        ("key=abc", None),
        ("key=abc,algorithm=HMAC_SHA1", None),
        ("key=abc, algorithm = hmac_sha1", None),
        ("key=abc,algorithm=HMAC_SHA256", "HMAC_SHA256"),
        ("algorithm=", ""),
    ],
)
def test_another_algorithm_is_named_and_refused(settings: str | None, unknown: str | None) -> None:
    webhook = sign(TOKEN, BRIDGE + "/voice")
    handshake = sign(TOKEN, "wss://bridge.example.com/media-stream")

    assert unknown_algorithm(settings) == unknown
    accepted = unknown is None
    assert webhook_is_signed(TOKENS, BRIDGE, "/voice", [], webhook, settings=settings) is accepted
    assert handshake_is_signed(TOKENS, BRIDGE, "/media-stream", handshake, settings=settings) is accepted
    assert json_is_signed(TOKENS, BRIDGE, JSON_PATH, JSON_BODY, VECTORS[6][2], settings=settings) is accepted


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h.example/m", "wss://h.example/m"),
        ("http://localhost:8000/m", "ws://localhost:8000/m"),
        ("wss://h.example/m", "wss://h.example/m"),
    ],
)
def test_the_address_for_websockets(url: str, expected: str) -> None:
    assert websocket_url(url) == expected
