from hypothesis import given
from hypothesis import strategies as st

from app.hearing.unconfirmed import Unconfirmed


def filled(mulaw: bytes, longest_bytes: int = 1000) -> Unconfirmed:
    audio = Unconfirmed(longest_bytes)
    audio.put(mulaw)
    return audio


def test_audio_is_taken_in_order_and_once() -> None:
    audio = filled(b"abcdef")

    assert (audio.take(4), audio.take(4), audio.take(4)) == (b"abcd", b"ef", b"")
    assert audio.unsent_bytes == 0
    assert len(audio) == 6


def test_a_new_connection_is_told_again_what_was_not_confirmed() -> None:
    audio = filled(b"abcdef")
    audio.take(5)
    audio.confirm(2)

    assert audio.rewind() == 3
    assert audio.take(10) == b"cdef"


def test_confirmations_count_from_the_beginning_of_the_connection() -> None:
    audio = filled(b"abcdefgh")
    audio.take(4)
    audio.confirm(2)
    audio.rewind()
    audio.take(4)  # c to f
    audio.confirm(1)
    audio.confirm(3)  # all so far, not three more

    audio.rewind()
    assert audio.take(10) == b"fgh"


def test_nothing_is_confirmed_that_was_not_sent() -> None:
    audio = filled(b"abcdef")
    audio.take(2)
    audio.confirm(6)

    assert audio.take(10) == b"cdef"


def test_a_full_ring_drops_its_oldest_and_counts_what_nobody_was_told() -> None:
    audio = filled(b"abcdef", longest_bytes=6)
    audio.take(2)
    audio.put(b"ghi")  # a and b were sent, c never

    assert audio.dropped_bytes == 1
    assert audio.take(10) == b"defghi"


def test_after_a_drop_confirmations_still_fit() -> None:
    audio = filled(b"abcdef", longest_bytes=6)
    audio.take(2)
    audio.put(b"ghi")
    audio.take(3)  # the connection got a b d e f
    audio.confirm(4)

    audio.rewind()
    assert audio.take(10) == b"fghi"


def test_what_nobody_wants_is_not_sent() -> None:
    audio = filled(b"abcdef")
    audio.take(2)
    audio.drop_unsent()

    assert audio.take(10) == b""
    assert len(audio) == 2


@given(st.lists(st.tuples(st.sampled_from("ptcr"), st.integers(0, 30)), max_size=60))
def test_what_is_kept_is_the_newest_in_order_whatever_happened(steps: list[tuple[str, int]]) -> None:
    audio = Unconfirmed(40)
    put = 0
    for step, size in steps:
        if step == "p":
            audio.put(bytes((put + i) % 256 for i in range(size)))
            put += size
        elif step == "t":
            audio.take(size)
        elif step == "c":
            audio.confirm(size)
        else:
            audio.rewind()
        assert 0 <= audio.unsent_bytes <= len(audio) <= 40
    kept = len(audio)
    audio.rewind()

    assert audio.dropped_bytes <= put - kept
    assert audio.take(100) == bytes(i % 256 for i in range(put))[put - kept :]
