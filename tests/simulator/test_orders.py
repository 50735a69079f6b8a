"""What the bridge may send, and what is reported when it sends something else."""

import io
import json
import random
import wave
from base64 import b64encode
from pathlib import Path

import pytest

from app.simulator import orders
from app.simulator.orders import Clear, Fault, Mark, Play

SID = "MZ1"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "audio"
PAYLOAD = b64encode(b"\x10" * 160).decode()
MEDIA = {"event": "media", "streamSid": SID, "media": {"payload": PAYLOAD}}
MARK = {"event": "mark", "streamSid": SID, "mark": {"name": "m"}}


def read(message: object) -> orders.Order:
    return orders.read(json.dumps(message).encode(), SID)


def test_the_three_messages_are_understood() -> None:
    assert read(MEDIA) == Play(SID, orders.PlayBody(b"\x10" * 160))
    assert read(MARK) == Mark(SID, orders.MarkBody("m"))
    assert read({"event": "clear", "streamSid": SID}) == Clear(SID)


@pytest.mark.parametrize(
    "message",
    [
        [],
        "media",
        {},
        {"event": "keepalive"},
        {"event": "stop", "streamSid": SID},
        {"event": "media", "media": {"payload": PAYLOAD}},
        {"event": "media", "stream_sid": SID, "media": {"payload": PAYLOAD}},
        {"event": "media", "streamSid": SID},
        {"event": "media", "streamSid": SID, "media": {}},
        {"event": "media", "streamSid": SID, "media": {"payload": PAYLOAD, "track": "outbound"}},
        {"event": "media", "streamSid": SID, "media": {"payload": "*not base64*"}},
        {"event": "media", "streamSid": SID, "media": {"payload": 1}},
        {"event": "media", "streamSid": SID, "media": {"payload": ""}},
        {**MEDIA, "sequenceNumber": "1"},
        {**MEDIA, "streamSid": "MZ2"},
        {"event": "mark", "streamSid": SID},
        {"event": "mark", "streamSid": SID, "mark": {"name": 1}},
        {"event": "mark", "streamSid": "MZ2", "mark": {"name": "m"}},
        {"event": "clear", "streamSid": SID, "clear": {}},
    ],
)
def test_anything_else_is_fault_31951(message: object) -> None:
    with pytest.raises(Fault) as met:
        read(message)

    assert met.value.code == 31951


@pytest.mark.parametrize("text", [b"", b"\xff", b"{", b'{"event":"clear","streamSid":"MZ1"} x', b"[" * 5000])
def test_what_is_no_json_is_fault_31951(text: bytes) -> None:
    with pytest.raises(Fault, match="31951"):
        orders.read(text, SID)


def test_a_fault_never_repeats_the_message() -> None:
    with pytest.raises(Fault) as met:
        read({"event": "clear", "streamSid": "secret"})

    assert "secret" not in str(met.value)


@pytest.mark.parametrize(
    "name", ["speech.wav", "speech_22050_32.mp3", "speech_44100_128.mp3", "speech_vbr_xing.mp3"]
)
def test_a_file_in_place_of_mulaw_is_recognised(name: str) -> None:
    assert orders.looks_like_a_file((FIXTURES / name).read_bytes()[: orders.OPENING_BYTES])


def test_bare_mp3_frames_are_recognised_without_any_tag() -> None:
    mp3 = (FIXTURES / "speech_44100_128.mp3").read_bytes()
    first = mp3.index(b"\xff\xfb", 1000)

    assert orders.looks_like_a_file(mp3[first : first + orders.OPENING_BYTES])


def test_a_wav_written_by_anybody_is_recognised() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(b"\x00" * 3000)

    assert orders.looks_like_a_file(file.getvalue())


def test_quiet_mulaw_that_begins_like_an_mp3_header_is_left_alone() -> None:
    noise = random.Random(1)
    quiet = bytes(noise.choice((0xFF, 0xFB, 0x7B, 0xFD)) for _ in range(orders.OPENING_BYTES - 4))

    assert not orders.looks_like_a_file(b"\xff\xfb\x7b\xff" + quiet)
    assert not orders.looks_like_a_file(b"\xff" * orders.OPENING_BYTES)
    assert not orders.looks_like_a_file(b"")
