import json

import pytest

from app.speech.elevenlabs_timing import Timeline, bytes_per_ms
from app.speech.port import Spoken


def timing(text: str, *, each_ms: float = 100.0, spelling: str = "char") -> bytes:
    return json.dumps(
        {
            "chars": list(text),
            f"{spelling}StartTimesMs": [number * each_ms for number in range(len(text))],
            f"{spelling}DurationsMs": [each_ms for _ in text],
        }
    ).encode()


@pytest.mark.parametrize(
    ("audio_format", "rate"),
    [
        ("ulaw_8000", 8),
        ("pcm_16000", 32),
        ("pcm_44100", 88.2),
        ("mp3_44100_128", 16),
        ("mp3_22050_32", 4),
        ("strange", 8),
    ],
)
def test_a_millisecond_of_audio_has_its_size(audio_format: str, rate: float) -> None:
    assert bytes_per_ms(audio_format) == rate


@pytest.mark.parametrize("spelling", ["char", "chars"])
def test_a_message_is_its_places_and_then_its_audio(spelling: str) -> None:
    timeline = Timeline("Hi you.", "ulaw_8000")

    pieces = list(timeline.place(b"x" * 5_600, timing("Hi you. ", spelling=spelling)))

    assert pieces == [Spoken(2, 200.0), Spoken(6, 600.0), Spoken(7, 700.0), b"x" * 5_600]


def test_times_begin_anew_with_every_message() -> None:
    timeline = Timeline("Hi you.", "ulaw_8000")
    list(timeline.place(b"x" * 2_400, timing("Hi ")))

    later = list(timeline.place(b"x" * 3_200, timing("you. ")))

    assert later == [Spoken(6, 600.0), Spoken(7, 700.0), b"x" * 3_200]


def test_the_normalised_timing_stands_in_where_there_is_no_other() -> None:
    timeline = Timeline("Hi 2 cats.", "ulaw_8000")

    found = list(timeline.place(b"", b"null", timing(" Hi two cats. ")))

    assert found == [Spoken(2, 300.0), Spoken(9, 1_200.0), Spoken(10, 1_300.0)]


@pytest.mark.parametrize("broken", [b"", b"null", b"{", b"[]", b'{"chars": 7}', b"[" * 100_000])
def test_a_timing_that_cannot_be_read_costs_no_audio(broken: bytes) -> None:
    assert list(Timeline("Hi you.", "ulaw_8000").place(b"xyz", broken)) == [b"xyz"]


def test_a_timing_that_is_no_utf_8_is_none() -> None:
    assert list(Timeline("Hi.", "ulaw_8000").place(b"x", b'{"chars":["\xff"]}')) == [b"x"]
