from hypothesis import given
from hypothesis import strategies as st

from app.audio import frame
from app.audio.frame import Framer


def test_the_constants_of_a_frame_agree() -> None:
    assert frame.FRAME_BYTES == frame.SAMPLE_RATE * frame.FRAME_MS // 1000


@given(st.lists(st.binary(max_size=400)))
def test_frames_are_whole_and_lose_nothing(pieces: list[bytes]) -> None:
    framer, mulaw = Framer(), b"".join(pieces)

    fed = [framer.feed(piece) for piece in pieces]
    rest = framer.rest
    last = framer.finish()

    assert all(len(frames) % 160 == 0 for frames in [*fed, last])
    assert b"".join(fed) + rest == mulaw
    assert last == (rest + b"\xff" * (160 - len(rest)) if rest else b"")


def test_a_finished_framer_is_empty() -> None:
    framer = Framer()
    framer.feed(b"x")
    framer.finish()

    assert framer.finish() == b""


def test_duration_counts_samples() -> None:
    assert frame.duration_ms(b"\xff" * 40) == 5
