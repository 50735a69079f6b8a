import base64
import json

import pytest

from app.errors import Failure
from app.hearing.dialect import Fact, Heard, Message, Started
from app.hearing.elevenlabs import (
    AUTO_COMMIT_BYTES,
    LEAST_BYTES,
    MARGIN_BYTES,
    ElevenLabsDialect,
    ElevenLabsHearing,
    session_url,
)
from app.hearing.fault import Fault
from tests.standins.elevenlabs_stt import ERRORS, KEY, ScribeStandin

SECOND = bytes(8000)


def told(kind: str, **fields: object) -> str:
    return json.dumps({"message_type": kind, **fields})


def sent(message: Message) -> dict[str, object]:
    fields: dict[str, object] = json.loads(message)
    return fields


def audio_bytes(message: Message) -> int:
    return len(base64.b64decode(str(sent(message)["audio_base_64"])))


def speaking(mulaw: bytes = SECOND) -> ElevenLabsDialect:
    dialect = ElevenLabsDialect()
    dialect.begin()
    dialect.audio(mulaw)
    return dialect


def test_the_address_asks_for_the_telephones_audio_and_manual_commits() -> None:
    url = session_url(
        "https://api.elevenlabs.io/", "scribe_v2_realtime", "en", ["tour dates", "a" * 21, "music"]
    )

    assert url == (
        "wss://api.elevenlabs.io/v1/speech-to-text/realtime?model_id=scribe_v2_realtime&audio_format=ulaw_8000"
        "&commit_strategy=manual&language_code=en&keyterms=tour+dates&keyterms=music"
    )
    assert session_url("http://h", "m", "", ["x"] * 60).count("keyterms=") == 50
    assert "language_code" not in session_url("http://h", "m", "", [])


def test_audio_goes_out_as_it_came_in() -> None:
    dialect = ElevenLabsDialect()
    dialect.begin()

    assert sent(dialect.audio(b"\x00\x7f\xff")) == {
        "message_type": "input_audio_chunk",
        "audio_base_64": "AH//",
        "commit": False,
        "sample_rate": 8000,
    }


def test_the_end_is_an_empty_commit() -> None:
    (commit,) = speaking().end()

    assert (sent(commit)["commit"], audio_bytes(commit)) == (True, 0)


def test_a_commit_never_has_less_audio_than_the_vendor_takes() -> None:
    padding, commit = speaking(bytes(500)).end()

    assert audio_bytes(padding) == LEAST_BYTES - 500
    assert sent(padding)["commit"] is False
    assert sent(commit)["commit"] is True


def test_silence_that_keeps_the_connection_is_not_counted() -> None:
    dialect = speaking(bytes(LEAST_BYTES - 160))
    assert base64.b64decode(str(sent(dialect.keep_alive())["audio_base_64"])) == b"\xff" * 160
    padding, _ = dialect.end()

    assert audio_bytes(padding) == 160


def test_a_partial_replaces_what_came_before_and_a_commits_final_is_the_last_word() -> None:
    dialect = speaking()

    assert dialect.receive(told("session_started", session_id="s", config={})) == Started()
    assert dialect.receive(told("partial_transcript", text="tour")) == Heard("tour", final=False)
    dialect.end()
    assert dialect.receive(told("committed_transcript", text="Tour dates.")) == Heard(
        "Tour dates.", final=True, taken_bytes=8000, whole=True
    )


def test_a_partial_after_its_final_is_late() -> None:
    dialect = speaking()
    dialect.end()
    dialect.receive(told("committed_transcript", text="yes"))

    assert dialect.receive(told("partial_transcript", text="yes")) is None
    dialect.begin()
    dialect.audio(bytes(800))
    assert dialect.receive(told("partial_transcript", text="yes")) is None


@pytest.mark.parametrize("kinds", [("", "_with_timestamps"), ("_with_timestamps", "")])
def test_twins_are_heard_once_in_either_order(kinds: tuple[str, str]) -> None:
    dialect = speaking()
    dialect.end()
    heard = [dialect.receive(told(f"committed_transcript{kind}", text="yes", words=[])) for kind in kinds]

    assert [one for one in heard if one] == [Heard("yes", final=True, taken_bytes=8000, whole=True)]


def test_a_doubled_final_is_heard_once_also_when_the_next_utterance_has_begun() -> None:
    dialect = speaking()
    dialect.end()
    dialect.receive(told("committed_transcript", text="yes"))

    assert dialect.receive(told("committed_transcript", text="yes")) is None
    dialect.begin()
    dialect.audio(SECOND)
    assert dialect.receive(told("committed_transcript", text="yes")) is None
    dialect.end()
    assert dialect.receive(told("committed_transcript", text="yes")) == Heard(
        "yes", final=True, taken_bytes=8000, whole=True
    )


def test_a_commit_of_the_vendors_own_is_a_part_of_the_utterance() -> None:
    dialect = speaking(bytes(AUTO_COMMIT_BYTES))

    assert dialect.receive(told("committed_transcript", text="first")) == Heard(
        "first", final=True, taken_bytes=AUTO_COMMIT_BYTES - MARGIN_BYTES
    )
    padding, _ = dialect.end()
    assert audio_bytes(padding) == LEAST_BYTES
    last: Fact | None = dialect.receive(told("committed_transcript", text=None))
    assert isinstance(last, Heard)
    assert (last.text, last.whole) == ("", True)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("auth_error", "auth"),
        ("quota_exceeded", "quota"),
        ("commit_throttled", "closed"),
        ("unaccepted_terms", "auth"),
        ("rate_limited", "busy"),
        ("queue_overflow", "busy"),
        ("resource_exhausted", "over_limit"),
        ("session_time_limit_exceeded", "closed"),
        ("input_error", "bad_request"),
        ("invalid_request", "bad_request"),
        ("chunk_size_exceeded", "bad_request"),
        ("insufficient_audio_activity", "closed"),
        ("transcriber_error", "network"),
        ("error", "busy"),
        ("quota_exceeded_error", "quota"),
        ("something_new", "busy"),
    ],
)
def test_an_error_has_a_meaning_by_its_kind(word: str, kind: str) -> None:
    assert ElevenLabsDialect().receive(told(word, error="text")) == Fault(Failure(kind), f"{word}: text")


def test_every_error_of_the_stand_in_has_been_thought_of() -> None:
    faults = [ElevenLabsDialect().receive(told(word, error=text)) for word, text in ERRORS.items()]

    assert all(isinstance(fault, Fault) for fault in faults)


@pytest.mark.parametrize("message", ["{not json", "[" * 100_000, b"\xff\xfe", "[]", '{"text":7}'])
def test_what_cannot_be_read_is_a_fault(message: Message) -> None:
    assert ElevenLabsDialect().receive(message) == Fault(Failure.GARBAGE, "a message that cannot be read")


def test_what_is_of_no_interest_is_nothing() -> None:
    for message in (told("warning", warning="soon"), told("edited_transcript", text="x"), "{}"):
        assert speaking().receive(message) is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"detail": {"status": "quota_exceeded", "message": "m"}}, "quota"),
        (401, {"detail": {"status": "invalid_api_key"}}, "auth"),
        (429, {"detail": {"code": "concurrent_limit_exceeded"}}, "over_limit"),
        (429, {"detail": {"status": "system_busy"}}, "busy"),
        (404, {"detail": "Not Found"}, "bad_request"),
        (500, "oops", "busy"),
    ],
)
def test_a_refused_handshake_has_a_meaning_by_its_body(status: int, body: object, kind: str) -> None:
    fault = ElevenLabsDialect().refused(status, {}, json.dumps(body).encode())

    assert fault.kind == kind


def test_a_close_has_a_meaning_by_its_reason() -> None:
    assert ElevenLabsDialect().closed(1000, "commit_throttled").kind == "closed"
    assert ElevenLabsDialect().closed(1008, "quota_exceeded").kind == "quota"
    assert ElevenLabsDialect().closed(1011, "").kind == "network"


async def test_phrases_are_handed_over_only_where_the_operator_pays_for_it() -> None:
    async with ScribeStandin() as vendor:
        for keyterms in (False, True):
            hearing = ElevenLabsHearing(api_key=KEY, base_url=vendor.url, keyterms=keyterms)
            async with hearing, hearing.listen(["tour dates"]):
                pass
        heads = [seen.request.head.decode() for seen in vendor.seen]

    assert ["keyterms=tour+dates" in head for head in heads] == [False, True]
    assert all(seen.request.headers["xi-api-key"] == KEY for seen in vendor.seen)
    assert "sec-websocket-extensions" not in vendor.seen[0].request.headers


@pytest.mark.parametrize("word", [["x"], {"y": 1}, None, 7])
def test_a_refusal_whose_word_is_none_is_told_by_its_status(word: object) -> None:
    body = json.dumps({"detail": {"code": word, "status": word, "message": word}}).encode()

    assert ElevenLabsDialect().refused(401, {}, body).kind is Failure.AUTH
