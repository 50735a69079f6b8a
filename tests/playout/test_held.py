"""What is cut, kept, and played again."""

from hypothesis import given
from hypothesis import strategies as st

from app.playout.held import Held, hold
from app.playout.pacer import FRAME_S, Mark, Pacer, Play


def frames(first: int, last: int) -> bytes:
    return b"".join(bytes([number]) * 160 for number in range(first, last))


def test_pieces_come_in_their_order_with_marks_between_them() -> None:
    held = Held(frames(0, 5), ((0, "a"), (2, "b"), (2, "c"), (5, "d")), 1.0)

    assert list(held.pieces()) == ["a", frames(0, 2), "b", "c", frames(2, 5), "d"]


def test_nothing_held_is_nothing_to_play() -> None:
    assert list(Held(b"", (), 1.0).pieces()) == []


@given(st.integers(1, 100), st.integers(0, 100), st.floats(0.0, 3.0))
def test_what_was_played_and_what_is_held_are_all_there_was(
    before: int, after: int, cut_after_s: float
) -> None:
    pacer = Pacer(0.4)
    pacer.put(frames(0, before))
    pacer.mark("between")
    pacer.put(frames(before, before + after))
    now, sent, sent_marks, played_at = 10.0, bytearray(), list[tuple[str, float]](), 10.0
    while now <= 10.0 + cut_after_s:
        for due in pacer.release(now):
            if isinstance(due, Play):
                sent += due.mulaw
            elif isinstance(due, Mark):
                sent_marks.append((due.name, due.reached_at))
        now += 0.01
    cut_at = 10.0 + cut_after_s
    coming = [(name, at) for name, at in sent_marks if at > cut_at]

    held = hold(cut_at, pacer.played_until, bytes(sent), coming, pacer.clear())

    everything = frames(0, before + after)
    assert everything.endswith(held.mulaw)
    played = (len(everything) - len(held.mulaw)) // 160
    # The frame that was cut in the midst of it is played again, and no other.
    assert abs(played - min(before + after, (cut_at - played_at) / FRAME_S)) <= 1.001
    for behind, _ in held.marks:
        assert behind + played == before
