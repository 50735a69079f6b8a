"""TwiML as strictly as Twilio reads it."""

import pytest

from app.simulator import twiml
from app.simulator.orders import Fault
from app.simulator.twiml import Document, Stream, Verb
from app.telephony import twiml as ours

URL = "https://voice.example.com/voice"


def read(body: str, content_type: str = "text/xml") -> Document:
    return twiml.read(body.encode(), content_type, URL)


def codes(document: Document) -> list[int]:
    return [warning.code for warning in document.warnings]


def test_every_verb_is_read_with_text_and_attributes() -> None:
    document = read(
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        '<Say voice="alice" language="en" loop="1"> Hello &amp; welcome </Say><Play loop="1">/hold.wav</Play>'
        '<Pause length="2"/><Redirect method="GET">/next</Redirect>'
        '<Reject reason="busy"/><Hangup/></Response>'
    )

    assert document.url == URL
    assert document.warnings == ()
    assert document.verbs == (
        Verb("Say", "Hello & welcome", {"voice": "alice", "language": "en", "loop": "1"}),
        Verb("Play", "/hold.wav", {"loop": "1"}),
        Verb("Pause", "", {"length": "2"}),
        Verb("Redirect", "/next", {"method": "GET"}),
        Verb("Reject", "", {"reason": "busy"}),
        Verb("Hangup"),
    )


def test_connect_carries_its_stream_with_parameters() -> None:
    document = read(
        '<Response><Connect action="/after" method="POST">'
        '<Stream url="wss://h/m" name="n" track="inbound_track" '
        'statusCallback="/s" statusCallbackMethod="POST"><Parameter name="token" value="a&quot;b"/>'
        '<Parameter name="x" value=""/></Stream></Connect></Response>'
    )

    assert document.warnings == ()
    assert document.verbs == (
        Verb(
            "Connect",
            "",
            {"action": "/after", "method": "POST"},
            Stream("wss://h/m", {"token": 'a"b', "x": ""}, "n", "/s"),
        ),
    )


def test_everything_that_we_answer_with_is_understood_without_a_warning() -> None:
    documents = [
        ours.connect_stream(
            stream_url="wss://h/m",
            token="t",
            after_url="https://h/a",
            status_url="https://h/s",
        ),
        ours.say_and_hang_up("Busy <&>."),
        ours.hang_up(),
        ours.reject_busy(),
    ]

    assert [codes(read(document, "application/xml")) for document in documents] == [[], [], [], []]


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("", "<Response/>", 11200),
        ("application/json", "{}", 12300),
        ("audio/mpeg", "ID3", 12300),
        ("text/xml", "<Response>", 12100),
        ("text/xml", "hello", 12100),
        ("text/xml", "", 12100),
        ("text/xml", "<response/>", 12100),
        ("text/xml", f"<Response><Say>{'x' * 65536}</Say></Response>", 11750),
    ],
)
def test_what_twilio_would_not_execute_is_a_fault(content_type: str, body: str, code: int) -> None:
    with pytest.raises(Fault) as met:
        read(body, content_type)

    assert met.value.code == code


@pytest.mark.parametrize(
    "content_type", ["text/xml; charset=utf-8", "application/xml", "text/html", "Text/XML"]
)
def test_a_content_type_for_xml_is_taken(content_type: str) -> None:
    assert read("<Response><Hangup/></Response>", content_type).verbs == (Verb("Hangup"),)


def test_plain_text_is_twiml_if_it_parses_and_else_read_aloud() -> None:
    assert read("<Response><Hangup/></Response>", "text/plain").verbs == (Verb("Hangup"),)
    assert read("Good morning", "text/plain").verbs == (Verb("Say", "Good morning"), Verb("Hangup"))


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("<say>no</say><Hangup/>", ["Hangup"]),
        ("<Enqueue>1</Enqueue><Hangup/>", ["Hangup"]),
        ('<Say Voice="alice">yes</Say>', ["Say"]),
        ("<Say>yes<break/></Say>", ["Say"]),
        ("<Connect/><Hangup/>", ["Hangup"]),
        ("<Connect><ConversationRelay/></Connect>", []),
        ('<Connect><Stream url="wss://h/m" foo="1"/></Connect>', ["Connect"]),
        ('<Connect><Stream url="wss://h/m"><parameter name="a" value="b"/></Stream></Connect>', ["Connect"]),
    ],
)
def test_the_unknown_is_warned_of_and_the_rest_still_executes(body: str, kept: list[str]) -> None:
    document = read(f"<Response>{body}</Response>")

    assert [verb.name for verb in document.verbs] == kept
    assert set(codes(document)) == {12200}


def test_a_track_that_connect_does_not_have_is_31941() -> None:
    document = read('<Response><Connect><Stream url="wss://h/m" track="both_tracks"/></Connect></Response>')

    assert codes(document) == [31941]


@pytest.mark.parametrize(("size", "expected"), [(494, []), (495, [12200])])
def test_name_and_value_of_a_parameter_stay_under_500_characters(size: int, expected: list[int]) -> None:
    document = read(
        f'<Response><Connect><Stream url="wss://h/m"><Parameter name="token" value="{"x" * size}"/></Stream>'
        "</Connect></Response>"
    )

    assert codes(document) == expected
