import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.frame import FRAME_BYTES
from app.speech.port import Spoken
from app.speech.progress import LONGEST_HOLD_MS, USUAL_MS_PER_CHARACTER, Cut, Pace, Progress

FRAME = b"\x01" * FRAME_BYTES


def frames(milliseconds: int) -> bytes:
    return FRAME * (milliseconds // 20)


def aligned(text: str = "One two three") -> Progress:
    return Progress(text, True, 50.0)


def unaligned(text: str = "One two three", pace: float = 50.0) -> Progress:
    return Progress(text, False, pace)


def test_only_whole_words_are_let_through() -> None:
    progress = aligned()
    progress.spoken(Spoken(3, 300.0))
    progress.spoken(Spoken(7, 610.0))

    assert progress.made(frames(200)) == b""
    assert progress.made(frames(200)) == frames(300)
    assert progress.made(frames(400)) == frames(300)  # up to 600: the next frame is of two words
    assert progress.cut() == Cut(FRAME[:80] + b"\xff" * 80, "three")


def test_the_place_may_come_behind_its_audio() -> None:
    progress = aligned()

    assert progress.made(frames(500)) == b""
    assert progress.spoken(Spoken(3, 300.0)) == frames(300)


def test_what_a_vendor_tells_of_audio_that_never_came_is_not_believed() -> None:
    progress = aligned()
    for told in (Spoken(3, 300.0), Spoken(7, 600.0), Spoken(13, 1_000.0)):
        progress.spoken(told)
    progress.made(frames(400))

    assert progress.cut() == Cut(b"", "two three")


def test_places_in_mid_word_or_backwards_are_no_places() -> None:
    progress = aligned()
    for told in (Spoken(3, 300.0), Spoken(5, 400.0), Spoken(2, 500.0), Spoken(7, 100.0)):
        progress.spoken(told)

    assert progress.made(frames(800)) == frames(300)
    assert progress.cut().rest == "two three"


def test_a_voice_that_ends_is_heard_to_its_end() -> None:
    progress = aligned()
    progress.spoken(Spoken(3, 300.0))
    progress.made(frames(1_000))

    assert progress.finish() == frames(700)
    assert progress.heard_ms == 1_000


def test_an_end_that_is_not_told_leaves_nothing_to_say() -> None:
    progress = aligned()
    progress.spoken(Spoken(13, 900.0))
    progress.made(frames(1_000))

    assert progress.cut() == Cut(b"", "")


def test_a_vendor_that_tells_nothing_is_not_waited_for() -> None:
    progress = aligned("word " * 40)
    progress.spoken(Spoken(4, 300.0))
    heard = b"".join(progress.made(frames(100)) for _ in range(30))

    assert heard == frames(3_000)
    assert LONGEST_HOLD_MS == 2_000
    # From the last place on it is reckoned: (3000 - 300) / 50 characters, less the word that is cut.
    assert progress.cut().rest == ("word " * 40)[55:]


def test_a_long_word_whose_end_is_told_is_waited_for() -> None:
    progress = aligned("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch")
    progress.spoken(Spoken(58, 4_000.0))

    assert progress.made(frames(3_900)) == b""
    assert progress.made(frames(100)) == frames(4_000)


@pytest.mark.parametrize(
    ("heard_ms", "rest"),
    [
        (0, "One two three"),
        (40, "One two three"),
        (140, "One two three"),  # the word is cut
        (160, "two three"),  # three characters at 50 ms: whole
        (200, "two three"),
        (300, "two three"),
        (360, "three"),
        (640, "three"),
        (660, ""),
        (9_000, ""),
    ],
)
def test_without_places_the_rest_is_reckoned_by_the_pace(heard_ms: int, rest: str) -> None:
    progress = unaligned()

    assert progress.made(frames(heard_ms)) == frames(heard_ms)
    assert progress.cut() == Cut(b"", rest)


@given(st.text("ab .", min_size=1, max_size=30), st.integers(0, 200), st.booleans(), st.data())
def test_what_is_left_is_an_end_of_the_text_that_begins_with_a_word(
    text: str, count: int, is_aligned: bool, data: st.DataObject
) -> None:
    progress = Progress(text, is_aligned, 50.0)
    put = out = 0
    for _ in range(count % 20):
        if data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(text)))
            out += len(progress.spoken(Spoken(at, at * 50.0)))
        else:
            put += FRAME_BYTES
            out += len(progress.made(FRAME))
        assert out <= put and out % FRAME_BYTES == 0
    cut = progress.cut()

    assert text.endswith(cut.rest)
    before = text[: len(text) - len(cut.rest)]
    assert not cut.rest or not before or before[-1].isspace()
    assert len(cut.mulaw) % FRAME_BYTES == 0


def test_a_pace_is_learned_from_what_was_finished() -> None:
    pace = Pace()
    assert pace.ms_per_character == USUAL_MS_PER_CHARACTER

    pace.learn(" ten chars ", 400.0)
    assert pace.ms_per_character == pytest.approx(400 / 9)
    for _ in range(20):
        pace.learn("ten chars", 900.0)
    assert pace.ms_per_character == pytest.approx(100, abs=1)
    pace.learn("  ", 900.0)
    assert pace.ms_per_character == pytest.approx(100, abs=1)
