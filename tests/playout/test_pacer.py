"""When frames leave, against a phone that plays them."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.playout.pacer import FRAME_S, GRAIN_S, Dropped, Mark, Pacer, Play, Underruns
from tests.virtual_time import in_virtual_time

FRAME_MS = 20


def frames(first: int, count: int) -> bytes:
    """Frames that tell their number."""
    return b"".join(number.to_bytes(4, "big") * 40 for number in range(first, first + count))


def lengths(orders: list[Play | Mark]) -> list[int | str]:
    """`[3, 1, "s1"]`: three frames, one frame, the mark."""
    return [len(order.mulaw) // 160 if isinstance(order, Play) else order.name for order in orders]


def due_of(pacer: Pacer) -> float:
    due = pacer.next_release()
    assert due is not None
    return due


def audio(orders: list[Play | Mark]) -> bytes:
    return b"".join(order.mulaw for order in orders if isinstance(order, Play))


# The beginning ---------------------------------------------------------------------------------------


def test_nothing_waits_in_a_new_pacer() -> None:
    pacer = Pacer()

    assert pacer.next_release() is None
    assert pacer.release(100.0) == []
    assert (pacer.queued_ms, pacer.played_until) == (0, -math.inf)


def test_the_first_frame_leaves_at_once() -> None:
    pacer = Pacer()
    pacer.put(frames(0, 1))

    assert due_of(pacer) <= 100.0
    assert pacer.release(100.0) == [Play(frames(0, 1))]
    assert pacer.played_until == 100.0 + FRAME_S


def test_a_burst_fills_the_lead_and_the_rest_waits() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 100))

    assert audio(pacer.release(100.0)) == frames(0, 21)
    assert pacer.queued_ms == 79 * FRAME_MS
    assert pacer.next_release() == pytest.approx(100.0 + 23 * FRAME_S - 0.4)


def test_frames_that_trickle_leave_at_once_until_the_lead_is_full() -> None:
    pacer = Pacer(lead_s=0.1)

    for left in ([1], [1], [1], [1], [], [], []):
        pacer.put(frames(0, 1))
        assert lengths(pacer.release(100.0)) == left


def test_frames_after_the_lead_leave_by_threes() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 40))
    pacer.release(100.0)

    due = due_of(pacer)
    assert pacer.release(due - 2 * GRAIN_S) == []
    assert lengths(pacer.release(due)) == [3]
    assert pacer.next_release() == pytest.approx(due + 3 * FRAME_S)


def test_a_wake_up_half_a_millisecond_early_is_not_in_vain() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 40))
    pacer.release(100.0)

    assert lengths(pacer.release(due_of(pacer) - 0.0005)) == [3]


def test_the_last_frames_of_a_reply_leave_though_they_are_no_three() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 22))
    pacer.release(100.0)

    due = due_of(pacer)
    assert due < pacer.played_until - 0.3
    assert lengths(pacer.release(due)) == [1]
    assert pacer.next_release() is None


def test_a_late_wake_up_is_made_good_at_once() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 100))
    pacer.release(100.0)

    assert lengths(pacer.release(100.2)) == [3, 3, 3, 1]
    assert pacer.played_until == pytest.approx(100.0 + 31 * FRAME_S)
    assert pacer.underruns == Underruns()


def test_only_whole_frames_are_taken() -> None:
    with pytest.raises(ValueError, match="161 bytes"):
        Pacer().put(bytes(161))


def test_a_lead_shorter_than_a_message_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 0\.06"):
        Pacer(lead_s=0.05)


# Marks -----------------------------------------------------------------------------------------------


def test_a_mark_leaves_right_after_the_frame_before_it() -> None:
    pacer = Pacer()
    pacer.put(frames(0, 4))
    pacer.mark("s1")
    pacer.put(frames(4, 2))
    pacer.mark("s2")

    assert lengths(pacer.release(100.0)) == [3, 1, "s1", 2, "s2"]


def test_a_mark_with_nothing_before_it_leaves_at_once() -> None:
    pacer = Pacer()
    pacer.mark("s1")
    assert pacer.next_release() == -math.inf
    assert pacer.release(100.0) == [Mark("s1")]

    pacer.put(frames(0, 50))
    pacer.release(100.0)
    for _ in range(30):
        pacer.release(pacer.next_release() or math.inf)
    assert pacer.queued_ms == 0
    now = pacer.played_until - 0.39
    pacer.mark("s2")
    assert due_of(pacer) <= now
    assert pacer.release(now) == [Mark("s2")]


def test_a_mark_does_not_hurry_the_frames_behind_it() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 21))
    pacer.release(100.0)
    pacer.mark("s1")
    pacer.put(frames(21, 3))

    assert lengths(pacer.release(100.001)) == ["s1"]
    assert pacer.queued_ms == 3 * FRAME_MS


# Underruns -------------------------------------------------------------------------------------------


def test_silence_in_the_midst_of_a_reply_is_counted_with_its_length() -> None:
    pacer = Pacer()
    pacer.put(frames(0, 5))
    pacer.release(100.0)
    pacer.put(frames(5, 5))

    assert lengths(pacer.release(100.35)) == [3, 2]
    assert pacer.underruns.count == 1
    assert pacer.underruns.total_ms == pytest.approx(250)
    assert pacer.played_until == pytest.approx(100.35 + 5 * FRAME_S)


def test_silence_between_two_replies_is_no_underrun() -> None:
    pacer = Pacer()
    pacer.put(frames(0, 5))
    pacer.end()
    pacer.release(100.0)
    pacer.put(frames(5, 5))
    pacer.release(130.0)
    pacer.end()
    pacer.put(frames(10, 1))
    pacer.release(160.0)

    assert pacer.underruns == Underruns()


def test_a_stalled_loop_makes_an_underrun_though_the_reply_is_complete() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 100))
    pacer.end()
    pacer.release(100.0)

    pacer.release(101.0)

    assert pacer.underruns.count == 1
    assert pacer.underruns.total_ms == pytest.approx(1000 - 21 * FRAME_MS)


def test_a_reply_that_meets_the_end_of_another_leaves_no_hole() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 5))
    pacer.mark("s1")
    pacer.end()
    pacer.put(frames(5, 5))

    assert lengths(pacer.release(100.0)) == [3, 2, "s1", 3, 2]
    assert pacer.played_until == pytest.approx(100.0 + 10 * FRAME_S)


# Clear -----------------------------------------------------------------------------------------------


def test_clear_empties_the_queue_and_says_of_what() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 30))
    pacer.mark("s1")
    pacer.put(frames(30, 30))
    pacer.mark("s2")
    pacer.end()
    pacer.release(100.0)

    assert pacer.clear() == Dropped(39, ("s1", "s2"))
    assert (pacer.queued_ms, pacer.next_release()) == (0, None)
    assert pacer.clear() == Dropped(0, ())


def test_after_clear_the_next_frame_leaves_at_once_and_nothing_was_an_underrun() -> None:
    pacer = Pacer(lead_s=0.4)
    pacer.put(frames(0, 60))
    pacer.release(100.0)
    pacer.clear()
    pacer.put(frames(60, 2))

    assert pacer.release(100.01) == [Play(frames(60, 2))]
    assert pacer.played_until == pytest.approx(100.01 + 2 * FRAME_S)
    assert pacer.underruns == Underruns()


# Any schedule ----------------------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 40)),
        st.tuples(st.sampled_from(["mark", "end", "clear"]), st.just(0)),
        st.tuples(st.just("pass"), st.integers(0, 900)),  # ms
    ),
    max_size=40,
)


class Phone:
    """Plays what it is given; knows nothing of the pacer."""

    def __init__(self, lead_s: float) -> None:
        self.lead_s = lead_s
        self.heard: list[bytes] = []
        self.marks: list[str] = []
        self.buffered_until = -math.inf

    def take(self, orders: list[Play | Mark], now: float) -> None:
        for order in orders:
            if isinstance(order, Mark):
                self.marks.append(order.name)
                continue
            assert 0 < len(order.mulaw) <= 480
            self.heard += [order.mulaw[at : at + 160] for at in range(0, len(order.mulaw), 160)]
            self.buffered_until = max(self.buffered_until, now) + len(order.mulaw) // 160 * FRAME_S
        if orders:
            assert self.buffered_until <= now + self.lead_s + 0.060


@given(steps, st.sampled_from([0.06, 0.1, 0.4, 1.0]), st.sampled_from([0.0, 0.0004, 0.013]))
def test_nothing_is_lost_doubled_reordered_or_too_early(
    schedule: list[tuple[str, int]], lead_s: float, late_s: float
) -> None:
    pacer, phone, now = Pacer(lead_s), Phone(lead_s), 5000.0
    put, dropped = 0, 0
    expected: list[bytes | str] = []  # all that was put and not dropped, in order
    for number, (what, amount) in enumerate(schedule):
        if what == "put":
            pacer.put(frames(put, amount))
            expected += [frames(put + n, 1) for n in range(amount)]
            put += amount
        elif what == "mark":
            pacer.mark(f"m{number}")
            expected.append(f"m{number}")
        elif what == "end":
            pacer.end()
        elif what == "clear":
            drop = pacer.clear()
            dropped += drop.frames
            del expected[len(expected) - drop.frames - len(drop.marks) :]
            phone.buffered_until = -math.inf
        until = now + amount / 1000 if what == "pass" else now
        while (due := pacer.next_release()) is not None and due <= until:
            now = max(now, due) + late_s
            orders = pacer.release(now)
            assert orders, "asked to come, and nothing left"
            phone.take(orders, now)
        now = max(now, until)
        assert len(phone.heard) + dropped + pacer.queued_ms // FRAME_MS == put
    while (due := pacer.next_release()) is not None:
        now = max(now, due)
        phone.take(pacer.release(now), now)

    assert phone.heard == [piece for piece in expected if isinstance(piece, bytes)]
    assert phone.marks == [piece for piece in expected if isinstance(piece, str)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30), st.floats(0, 1e6))
def test_what_twilio_has_never_falls_60_ms_below_the_lead(bursts: list[int], begin: float) -> None:
    pacer = Pacer(lead_s=0.4)
    for burst in bursts:
        pacer.put(frames(0, burst))
    pacer.release(begin)

    while (due := pacer.next_release()) is not None:
        assert pacer.played_until - due >= 0.4 - 0.060
        assert pacer.release(due)

    assert pacer.underruns == Underruns()


@in_virtual_time
async def test_a_reply_of_ten_minutes_does_not_drift() -> None:
    pacer, phone, count = Pacer(lead_s=0.4), Phone(0.4), 30_000
    pacer.put(frames(0, count))
    pacer.mark("done")
    pacer.end()
    began, wake_ups = clock.now(), 0

    while (due := pacer.next_release()) is not None:
        await asyncio.sleep(max(0.0, due - clock.now()) + 0.0137)  # every wake-up is late
        phone.take(pacer.release(clock.now()), clock.now())
        wake_ups += 1

    first = began + 0.0137
    assert phone.buffered_until == pytest.approx(first + count * FRAME_S, abs=1e-6)
    assert clock.now() == pytest.approx(first + count * FRAME_S - 0.4, abs=0.06)
    assert phone.heard == [frames(number, 1) for number in range(count)]
    assert phone.marks == ["done"]
    assert pacer.underruns == Underruns()
    assert wake_ups <= count / 3
