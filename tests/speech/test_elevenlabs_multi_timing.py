import json

import pytest

from app.speech.elevenlabs_multi_timing import Timeline, bytes_per_ms
from app.speech.port import Piece, Spoken


def timed(chars: str, each_ms: int = 10) -> bytes:
    starts = [at * each_ms for at in range(len(chars))]
    timing = {"chars": list(chars), "charStartTimesMs": starts, "charDurationsMs": [each_ms] * len(chars)}
    return json.dumps(timing).encode()


def placed(text: str, *messages: tuple[bytes, bytes]) -> list[Piece]:
    timeline = Timeline(text, "ulaw_8000")
    return [piece for audio, timing in messages for piece in timeline.place(audio, timing)]


def test_each_word_is_a_place_ahead_of_its_audio() -> None:
    assert placed("Yes, I do.", (b"x" * 800, timed("Yes, I do. "))) == [
        Spoken(4, 40.0),
        Spoken(6, 60.0),
        Spoken(10, 100.0),
        b"x" * 800,
    ]


def test_times_begin_anew_with_each_message_and_count_from_the_audio_before_it() -> None:
    pieces = placed("Yes. No.", (b"x" * 400, timed("Yes. ")), (b"y" * 80, b""), (b"z" * 400, timed("No. ")))

    assert [piece for piece in pieces if isinstance(piece, Spoken)] == [Spoken(4, 40.0), Spoken(8, 90.0)]


def test_a_word_that_two_messages_share_is_told_as_far_as_it_has_come() -> None:
    pieces = placed("Hello.", (b"x" * 240, timed("Hel")), (b"y" * 240, timed("lo. ")))

    assert [piece for piece in pieces if isinstance(piece, Spoken)] == [Spoken(3, 30.0), Spoken(6, 60.0)]


def test_blanks_count_as_they_stand_in_our_text() -> None:
    pieces = placed("  Hello \n there.", (b"", timed(" Hello there. ")))

    assert pieces == [Spoken(7, 60.0), Spoken(16, 130.0)]


def test_nothing_is_told_from_the_first_character_that_is_not_ours() -> None:
    pieces = placed(
        "Room 12 is free.", (b"", timed("Room ")), (b"", timed("twelve ")), (b"", timed("is free. "))
    )

    assert pieces == [Spoken(4, 40.0)]


def test_neither_number_ever_goes_back() -> None:
    odd = json.dumps(
        {"chars": ["a", " ", "b"], "charStartTimesMs": [50, 0, 10], "charDurationsMs": [50, 1, 10]}
    ).encode()

    assert placed("a b", (b"", odd)) == [Spoken(1, 100.0), Spoken(3, 100.0)]


def test_the_other_spelling_of_the_times_is_read() -> None:
    other = timed("Yes. ").replace(b"charStart", b"charsStart").replace(b"charDur", b"charsDur")

    assert placed("Yes.", (b"", other)) == [Spoken(4, 40.0)]


@pytest.mark.parametrize("timing", [b"", b"null", b"{}", b"[1]", b"{", b'{"chars": [1]}', b"[" * 100_000])
def test_a_timing_that_cannot_be_read_costs_no_audio(timing: bytes) -> None:
    assert placed("Yes.", (b"x", timing)) == [b"x"]


@pytest.mark.parametrize(
    ("audio_format", "rate"),
    [("ulaw_8000", 8.0), ("pcm_16000", 32.0), ("mp3_44100_128", 16.0), ("mp3_22050_32", 4.0)],
)
def test_the_format_tells_how_long_bytes_last(audio_format: str, rate: float) -> None:
    assert bytes_per_ms(audio_format) == rate
