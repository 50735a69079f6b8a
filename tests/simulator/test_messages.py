"""Twilio's messages, in shape and type as on the wire."""

import itertools
import json
from base64 import b64decode
from typing import Any

from app.simulator.messages import CONNECTED, Messages
from app.telephony import messages as telephony


def messages() -> Messages:
    return Messages(stream_sid="MZ1", call_sid="CA1", account_sid="AC1")


def read(text: bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(text)
    return message


def test_connected_has_neither_sequence_nor_stream() -> None:
    assert read(CONNECTED) == {"event": "connected", "protocol": "Call", "version": "1.0.0"}


def test_start_says_everything_once_with_integers_only_in_the_media_format() -> None:
    assert read(messages().start({"token": 'a"<&'})) == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "start": {
            "accountSid": "AC1",
            "callSid": "CA1",
            "streamSid": "MZ1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": 'a"<&'},
        },
    }


def test_media_carries_its_counters_as_strings() -> None:
    message = read(messages().media(bytes(range(160)), 3))

    assert message.keys() == {"event", "sequenceNumber", "media", "streamSid"}
    assert (message["event"], message["sequenceNumber"], message["streamSid"]) == ("media", "1", "MZ1")
    assert message["media"].keys() == {"track", "chunk", "timestamp", "payload"}
    assert (message["media"]["track"], message["media"]["chunk"]) == ("inbound", "1")
    assert isinstance(message["media"]["timestamp"], str)
    assert b64decode(message["media"]["payload"]) == bytes(range(160))


def test_silence_is_160_bytes_of_mulaw_zero() -> None:
    assert b64decode(read(messages().media(None, 0))["media"]["payload"]) == b"\xff" * 160


def test_the_sequence_counts_all_messages_and_the_chunk_only_media() -> None:
    stream = messages()
    sent = [
        stream.start({}),
        stream.media(None, 0),
        stream.mark("m"),
        stream.dtmf("#"),
        stream.media(None, 1),
        stream.stop(),
    ]

    assert [read(text)["sequenceNumber"] for text in sent] == ["1", "2", "3", "4", "5", "6"]
    assert [read(text)["media"]["chunk"] for text in sent if b'"media"' in text] == ["1", "2"]


def test_timestamps_begin_above_zero_and_grow_by_about_20_ms() -> None:
    stream = messages()

    stamps = [int(read(stream.media(None, tick))["media"]["timestamp"]) for tick in range(100)]

    assert stamps[0] > 0
    steps = [after - before for before, after in itertools.pairwise(stamps)]
    assert all(15 <= step <= 25 for step in steps)
    assert len(set(steps)) > 1


def test_a_key_a_mark_and_the_end() -> None:
    stream = messages()

    assert read(stream.dtmf("#"))["dtmf"] == {"track": "inbound_track", "digit": "#"}
    assert read(stream.mark("s1"))["mark"] == {"name": "s1"}
    assert read(stream.stop())["stop"] == {"accountSid": "AC1", "callSid": "CA1"}


def test_the_bridges_own_reader_understands_every_message() -> None:
    stream = messages()
    sent = [
        CONNECTED,
        stream.start({}),
        stream.media(None, 0),
        stream.dtmf("1"),
        stream.mark("m"),
        stream.stop(),
    ]

    kinds = [type(telephony.decode(text)).__name__ for text in sent]

    assert kinds == ["Connected", "Start", "Media", "Dtmf", "Mark", "Stop"]
