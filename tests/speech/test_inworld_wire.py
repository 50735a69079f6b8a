import base64
import json

import msgspec
import pytest

from app.errors import Failure
from app.speech.inworld_wire import Status, decode_line, fault_error, refusal, samples_of, secrets_of
from tests.standins.inworld import KEY, SECRET, _pcm_header
from tests.standins.voice_bank import wav_header

SECRETS = secrets_of(KEY)


def error(code: int, message: str = "") -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "details": []}}).encode()


def test_a_line_holds_audio_and_the_times_of_words() -> None:
    alignment = {
        "words": ["Hi", "!"],
        "wordStartTimeSeconds": [0, 0.2],
        "wordEndTimeSeconds": [0.2, 0.25],
        "phoneticDetails": [{"wordIndex": 0, "phones": [{"phoneSymbol": "h"}], "isPartial": True}],
    }
    audio = base64.b64encode(b"\xff\x7f").decode()
    result = {"audioContent": audio, "timestampInfo": {"wordAlignment": alignment}, "usage": {}}
    line = decode_line(json.dumps({"result": result}))

    assert line.fault is None
    assert line.result is not None
    assert line.result.audio_content == b"\xff\x7f"
    assert line.result.timestamp_info is not None
    words = line.result.timestamp_info.word_alignment
    assert words is not None
    assert (words.words, words.word_end_time_seconds) == (["Hi", "!"], [0.2, 0.25])
    assert words.phonetic_details is not None
    assert words.phonetic_details[0].is_partial


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"error": {"code": 7, "message": "no"}}', 7),
        ('{"error": {}}', 0),
        ('{"code": 16, "message": "authentication is required"}', 16),
        ('{"result": {"status": {"code": 8, "message": "limit"}}}', 8),
    ],
)
def test_a_fault_is_found_wherever_it_stands(text: str, code: int) -> None:
    fault = decode_line(text).fault

    assert fault is not None
    assert fault.code == code


def test_a_status_of_zero_is_no_fault() -> None:
    assert decode_line('{"result": {"status": {"code": 0}, "timestampInfo": null}}').fault is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"result": {"audioContent": "%%%"}}', '{"result": 3}'])
def test_what_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_line(text)


def test_the_header_of_a_piece_is_never_samples() -> None:
    mulaw, pcm16 = b"\xff\x7e" * 400, b"\x01\x00" * 400

    assert samples_of(wav_header(800) + mulaw, "ulaw", 8000) == mulaw
    assert samples_of(_pcm_header(800, 16000) + pcm16, "pcm", 16000) == pcm16
    assert samples_of(mulaw, "ulaw", 8000) == mulaw


def test_what_follows_the_samples_in_a_file_is_not_heard() -> None:
    pcm16 = b"\x01\x00" * 400

    assert samples_of(_pcm_header(800, 16000) + pcm16 + b"LIST\x04\0\0\0junk", "pcm", 16000) == pcm16


def test_a_header_without_samples_is_nothing() -> None:
    assert samples_of(_pcm_header(0, 8000), "ulaw", 8000) == b""


def test_a_header_of_other_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="16000"):
        samples_of(_pcm_header(800, 16000) + bytes(800), "ulaw", 8000)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (2, "", Failure.BUSY),
        (3, "text length should not exceed 2000 characters.", Failure.BAD_REQUEST),
        (4, "deadline exceeded", Failure.TIMEOUT),
        (5, "Unknown voice", Failure.BAD_REQUEST),
        (7, "Invalid credentials", Failure.AUTH),
        (7, "quota exceeded for this workspace", Failure.QUOTA),
        (7, "too many concurrent requests", Failure.OVER_LIMIT),
        (8, "resource exhausted", Failure.OVER_LIMIT),
        (8, "You are out of credits", Failure.QUOTA),
        (8, "rate limit: 100 requests per second", Failure.BUSY),
        (13, "internal error in billing of text", Failure.BUSY),
        (14, "unavailable", Failure.BUSY),
        (16, "authentication is required", Failure.AUTH),
        (99, "", Failure.BUSY),
    ],
)
def test_codes_are_sorted(code: int, message: str, kind: Failure) -> None:
    assert fault_error(Status(code, message), SECRETS).kind is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, error(7, "API key does not exist"), Failure.AUTH),
        (401, b'{"code":16,"message":"authentication is required","details":[]}', Failure.AUTH),
        (429, error(8, "too many"), Failure.OVER_LIMIT),
        (429, b"", Failure.OVER_LIMIT),
        (429, error(7, "Invalid credentials"), Failure.OVER_LIMIT),
        (402, error(9, "pay"), Failure.QUOTA),
        (404, error(5, "Unknown voice"), Failure.BAD_REQUEST),
        (400, b"<html>Bad Request</html>", Failure.BAD_REQUEST),
        (503, error(14, "no healthy upstream"), Failure.BUSY),
        (502, b"<html>Bad Gateway</html>", Failure.BUSY),
        (504, b"upstream request timeout", Failure.TIMEOUT),
        (302, b"", Failure.GARBAGE),
    ],
)
def test_refusals_are_sorted(status: int, body: bytes, kind: Failure) -> None:
    failure = refusal(status, body, SECRETS, 4.0)

    assert failure.kind is kind
    assert failure.retry_after_s == 4.0
    assert failure.message.startswith(f"HTTP {status}")


@pytest.mark.parametrize(
    "echo",
    [
        'Invalid credentials provided for API key "Xt75vK0jWr7BP4Xo"',
        'Invalid credentials provided for API key "Xt75***"',
        f'API key does not exist or was deleted: "{KEY[:4]}***"',
        'Invalid credentials provided for API key "another one of ours"',
        f"Authorization: Basic {KEY}",
        f"secret {SECRET} is wrong",
    ],
)
def test_the_key_never_leaves(echo: str) -> None:
    for failure in (refusal(403, error(7, echo), SECRETS, 0), fault_error(Status(7, echo), SECRETS)):
        said = str(failure)
        assert "[key]" in said
        assert not [part for part in (KEY[:4], "Xt75", SECRET[:4], "another") if part in said]


def test_the_secrets_are_the_key_and_the_pair_in_it() -> None:
    assert secrets_of(KEY) == [KEY, "Xt75vK0jWr7BP4Xo", SECRET]
    assert secrets_of(f"Bearer {KEY}")[0] == KEY
    assert secrets_of("no base64!")[0] == "base64!"
