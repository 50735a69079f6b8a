"""What Twilio's messages may look like, and what they may not."""

import json
from typing import Any

import pytest

from app.errors import RemoteProtocolError
from app.telephony import messages as wire

START_BODY = {
    "accountSid": "AC1",
    "callSid": "CA1",
    "streamSid": "MZ1",
    "tracks": ["inbound"],
    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    "customParameters": {"token": "t"},
}


def text(event: str, **fields: Any) -> str:
    return json.dumps({"event": event, "streamSid": "MZ1", **fields})


def media(**changes: Any) -> str:
    body = {"track": "inbound", "chunk": "3", "timestamp": "97", "payload": "//8=", **changes}
    return text("media", sequenceNumber="4", media=body)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            '{"event":"connected","protocol":"Call","version":"1.0.0"}',
            wire.Connected("Call", "1.0.0"),
        ),
        (
            text("start", sequenceNumber="1", start=START_BODY),
            wire.Start(
                "MZ1",
                wire.StartBody(
                    stream_sid="MZ1",
                    call_sid="CA1",
                    account_sid="AC1",
                    media_format=wire.MediaFormat("audio/x-mulaw", 8000, 1),
                    custom_parameters={"token": "t"},
                    tracks=["inbound"],
                ),
                1,
            ),
        ),
        (media(), wire.Media("MZ1", wire.MediaBody(b"\xff\xff", 97, 3), 4)),
        (
            text("dtmf", sequenceNumber="5", dtmf={"track": "inbound_track", "digit": "#"}),
            wire.Dtmf("MZ1", wire.DtmfBody("#"), 5),
        ),
        (text("mark", sequenceNumber="6", mark={"name": "s1"}), wire.Mark("MZ1", wire.MarkBody("s1"), 6)),
        (
            text("stop", sequenceNumber="7", stop={"accountSid": "AC1", "callSid": "CA1"}),
            wire.Stop("MZ1", 7),
        ),
    ],
)
def test_every_documented_message_is_read(message: str, expected: wire.Inbound) -> None:
    assert wire.decode(message) == expected
    assert wire.decode(message.encode()) == expected


def test_numbers_may_be_numbers_or_text() -> None:
    assert wire.decode(media(chunk=3, timestamp=97.0)) == wire.decode(media())


def test_unknown_fields_are_passed_over() -> None:
    assert wire.decode(media(loudness={"db": [1, 2, None]})) == wire.decode(media())


def test_a_stream_without_parameters_has_none() -> None:
    body = {key: value for key, value in START_BODY.items() if key != "customParameters"}

    message = wire.decode(text("start", start=body))

    assert isinstance(message, wire.Start)
    assert message.start.custom_parameters == {}


def test_an_unknown_event_is_named_and_not_for_ever() -> None:
    assert wire.decode('{"event":"transcription","streamSid":5}') == wire.Unknown("transcription")
    assert wire.decode(json.dumps({"event": "x" * 5000})) == wire.Unknown("x" * wire.LONGEST_NAME)


@pytest.mark.parametrize(
    "message",
    [
        text("start"),
        text("start", start={**START_BODY, "mediaFormat": None}),
        text("start", start={**START_BODY, "customParameters": {"token": ["t"]}}),
        text("dtmf", dtmf={"digit": True}),
        text("mark"),
        text("mark", mark={}),
        '{"event":"stop"}',
        media(payload="no base64!"),
        media(payload="//8"),
        media(payload=None),
        media(timestamp="soon"),
        media(timestamp=True),
        media(chunk="9" * 5000),
    ],
)
def test_a_known_event_with_a_wrong_body_is_refused(message: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"^'\w+' with a wrong body: "):
        wire.decode(message)


def test_the_refusal_names_the_field_and_not_its_value() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        wire.decode(media(timestamp="4111 1111 1111 1111"))

    assert "$.media.timestamp" in str(refused.value)
    assert "1111" not in str(refused.value)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"event":5}',
        '{"event":null}',
        '{"event":"media"',
        "\ud800",
        b"\xff\xfe",
        b'{"event":"m\xff"}',
        '{"a":' * 5000,
        '{"event":"new","deep":' + "[" * 60000,
    ],
)
def test_what_is_no_message_is_refused(message: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="no JSON object with an event"):
        wire.decode(message)


def test_64_kib_are_read_and_more_refused() -> None:
    frame = '{"event":"new","pad":"' + "x" * (wire.MAX_MESSAGE - 24) + '"}'

    assert wire.decode(frame) == wire.Unknown("new")
    with pytest.raises(RemoteProtocolError, match="expected at most 65536"):
        wire.decode(frame + " ")


@pytest.mark.parametrize("event", [*wire.Event.__args__, *wire.Inbound.__args__])
def test_messages_and_events_cannot_be_changed(event: Any) -> None:
    assert event.__struct_config__.frozen
