import json

import pytest

from app.errors import Failure
from app.hearing.deepgram import DeepgramDialect, DeepgramHearing, session_url
from app.hearing.dialect import Heard, Message
from app.hearing.fault import Fault
from tests.standins.deepgram import ERRORS, KEY, DeepgramStandin, refusal

SECOND = bytes(8000)


def results(text: str, start: float, until: float, *, final: bool = True, from_finalize: bool = False) -> str:
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start,
            "duration": until - start,
            "is_final": final,
            "speech_final": False,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": []}]},
        }
    )


def speaking(seconds: int = 1) -> DeepgramDialect:
    dialect = DeepgramDialect()
    dialect.begin()
    dialect.audio(SECOND * seconds)
    return dialect


def test_the_address_asks_for_the_telephones_audio_and_no_endpointing() -> None:
    assert session_url("https://api.deepgram.com", "nova-3", "en", ["tour dates"]) == (
        "wss://api.deepgram.com/v1/listen?model=nova-3&encoding=mulaw&sample_rate=8000&channels=1"
        "&interim_results=true&punctuate=true&endpointing=false&language=en&keyterm=tour+dates"
    )
    assert "language" not in session_url("http://h", "m", "", [])


def test_audio_is_binary_and_orders_are_text() -> None:
    dialect = DeepgramDialect()
    dialect.begin()

    assert dialect.audio(b"abc") == b"abc"
    assert dialect.end() == ['{"type": "Finalize"}']
    assert dialect.keep_alive() == '{"type": "KeepAlive"}'
    assert dialect.farewell() == ['{"type": "CloseStream"}']


def test_results_tell_which_audio_they_cover() -> None:
    dialect = speaking(3)

    assert dialect.receive(results("what", 0, 1, final=False)) == Heard("what", False, confidence=0.9)
    assert dialect.receive(results("what are", 0, 2)) == Heard("what are", True, 16000, False, 0.9)
    dialect.end()
    assert dialect.receive(results("the dates", 2, 3, from_finalize=True)) == Heard(
        "the dates", True, 24000, True, 0.9
    )


def test_the_last_word_is_also_a_final_result_up_to_the_end() -> None:
    dialect = speaking()
    assert dialect.receive(results("ye", 0, 0.5)) == Heard("ye", True, 4000, False, 0.9)
    dialect.end()

    assert dialect.receive(results("s", 0.5, 0.96)) == Heard("s", True, 8000, True, 0.9)


def test_an_empty_answer_to_the_question_is_an_answer() -> None:
    dialect = speaking()
    dialect.receive(results("yes", 0, 0.9))
    dialect.end()

    assert dialect.receive(results("", 0.9, 0.9, from_finalize=True)) == Heard("", True, 7200, True, 0.9)


def test_what_was_heard_of_the_utterance_before_is_late() -> None:
    dialect = speaking()
    dialect.end()
    dialect.begin()
    dialect.audio(SECOND)
    late = [
        results("yes", 0, 1, final=False),
        results("yes", 0, 1),
        results("yes", 0, 1, from_finalize=True),
        results("", 1, 1, from_finalize=True),
    ]

    assert [dialect.receive(message) for message in late] == [None] * 4
    dialect.end()
    assert dialect.receive(results("yes", 0, 1, from_finalize=True)) is None  # no answer to this question
    assert dialect.receive(results("no", 1, 1.5)) == Heard("no", True, 4000, False, 0.9)


def test_a_doubled_result_and_an_interim_one_after_its_final_are_dropped() -> None:
    dialect = speaking(2)
    dialect.receive(results("yes", 0, 1))

    assert dialect.receive(results("yes", 0, 1)) is None
    assert dialect.receive(results("yes", 0, 1, final=False)) is None


@pytest.mark.parametrize(
    "message",
    [
        '{"type":"UtteranceEnd","channel":[0,1],"last_word_end":1.0}',
        '{"type":"SpeechStarted","channel":[0],"timestamp":0.1}',
        '{"type":"Metadata","channels":1}',
        '{"type":"Weather"}',
        "{}",
    ],
)
def test_what_is_of_no_interest_is_nothing(message: str) -> None:
    assert speaking().receive(message) is None


def test_a_result_without_alternatives_is_silence() -> None:
    message = '{"type":"Results","start":0,"duration":1,"is_final":true,"channel":{"alternatives":[]}}'

    assert speaking().receive(message) == Heard("", True, 8000, False, 0.0)


@pytest.mark.parametrize(
    "message", ["{not json", "[" * 100_000, b"\xff", '{"type":"Results","start":"x"}', "7"]
)
def test_what_cannot_be_read_is_a_fault(message: Message) -> None:
    assert speaking().receive(message) == Fault(Failure.GARBAGE, "a message that cannot be read")


def test_an_error_message_has_a_meaning_by_its_words() -> None:
    dialect = DeepgramDialect()

    assert dialect.receive('{"type":"Error","description":"NET-0001: no audio"}') == Fault(
        Failure.CLOSED,
        "NET-0001: no audio",
    )
    assert dialect.receive('{"err_code":"TOO_MANY_REQUESTS"}') == Fault(
        Failure.OVER_LIMIT, "TOO_MANY_REQUESTS"
    )
    assert dialect.receive('{"type":"Error"}') == Fault(Failure.BUSY, "")


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "bad_request"), (401, "auth"), (402, "quota"), (429, "over_limit")]
)
def test_a_refused_handshake_has_a_meaning(status: int, kind: str) -> None:
    _, body, headers = refusal(status)
    fault = DeepgramDialect().refused(status, headers, json.dumps(body).encode())

    assert fault.kind == kind
    assert headers["dg-error"] in fault.message


def test_a_refusal_without_a_body_is_told_by_its_header() -> None:
    fault = DeepgramDialect().refused(400, {"DG-Error": "ASR_PAYMENT_REQUIRED"}, b"")

    assert fault == ("quota", "HTTP 400: ASR_PAYMENT_REQUIRED")


@pytest.mark.parametrize(
    ("word", "kind"), [("NET-0001", "closed"), ("NET-0000", "closed"), ("DATA-0000", "bad_request")]
)
def test_a_close_has_a_meaning_by_its_reason(word: str, kind: str) -> None:
    assert DeepgramDialect().closed(*ERRORS[word]).kind == kind
    assert DeepgramDialect().closed(1011, "").kind == "network"


async def test_phrases_are_handed_over_only_where_the_operator_pays_for_it() -> None:
    async with DeepgramStandin() as vendor:
        for keyterms in (False, True):
            hearing = DeepgramHearing(api_key=KEY, base_url=vendor.url, keyterms=keyterms)
            async with hearing, hearing.listen(["tour dates"]):
                pass
        heads = [seen.request.head.decode() for seen in vendor.seen]

    assert ["keyterm=tour+dates" in head for head in heads] == [False, True]
    assert vendor.seen[0].request.headers["authorization"] == f"Token {KEY}"


async def test_the_session_is_ended_before_the_connection() -> None:
    async with DeepgramStandin() as vendor:
        async with DeepgramHearing(api_key=KEY, base_url=vendor.url).listen():
            pass
        (seen,) = vendor.seen
        await seen.gone.wait()

    assert seen.messages == [{"type": "CloseStream"}]


@pytest.mark.parametrize("start", [1e308, -1e308, 1e12])
def test_a_time_beyond_all_that_was_sent_is_the_end_of_it(start: float) -> None:
    met = speaking().receive(
        json.dumps({"type": "Results", "start": start, "duration": start, "is_final": True})
    )

    assert met is None or (isinstance(met, Heard) and met.taken_bytes == len(SECOND))


def test_results_are_never_about_more_than_was_sent() -> None:
    dialect = speaking()

    first, again = [dialect.receive(results("yes", 0.0, until)) for until in (1e6, 2e6)]
    assert isinstance(first, Heard) and first.taken_bytes == len(SECOND)
    assert again is None
