"""What the phone plays, 20 ms by 20 ms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.simulator.playback import SILENT_FRAME, Figures, Playback
from app.simulator.recording import Recording

FRAME = b"\x10" * 160


def player(**options: int) -> Playback:
    return Playback(Figures(), Recording(), **({"mark_latency_ms": 0} | options))


def ticks(playback: Playback, count: int) -> list[bytes]:
    return [playback.tick() for _ in range(count)]


def test_audio_is_played_at_160_bytes_a_tick_and_then_silence() -> None:
    playback = player()

    playback.play(FRAME * 2)

    assert ticks(playback, 3) == [FRAME, FRAME, SILENT_FRAME]
    assert playback.figures.heard_bytes == 320


def test_a_broken_frame_is_filled_up_with_silence() -> None:
    playback = player()

    playback.play(FRAME[:100])

    assert playback.tick() == FRAME[:100] + b"\xff" * 60
    assert playback.figures.heard_bytes == 100


def test_a_mark_is_echoed_when_all_before_it_was_played_and_not_sooner() -> None:
    playback = player()
    playback.play(FRAME * 2)
    playback.mark("m")
    playback.play(FRAME)

    playback.tick()
    early = playback.echoes()
    playback.tick()

    assert early == []
    assert playback.echoes() == ["m"]
    assert playback.echoes() == []


def test_a_mark_with_nothing_before_it_is_echoed_at_once() -> None:
    playback = player()

    playback.mark("m")

    assert playback.echoes() == ["m"]


def test_an_echo_waits_for_its_latency() -> None:
    playback = player(mark_latency_ms=40)
    playback.mark("m")

    echoed = []
    for _ in range(3):
        echoed.append(playback.echoes())
        playback.tick()

    assert echoed == [[], [], ["m"]]


def test_clear_drops_audio_and_gives_every_pending_mark_in_order() -> None:
    playback = player(mark_latency_ms=200)
    playback.mark("reached, not echoed")
    playback.play(FRAME * 3)
    playback.mark("one")
    playback.play(FRAME)
    playback.mark("two")
    playback.tick()

    names = playback.clear()

    assert names == ["reached, not echoed", "one", "two"]
    assert playback.is_quiet
    assert playback.tick() is SILENT_FRAME
    assert playback.figures.cleared_bytes == 480


def test_audio_after_a_clear_is_played_and_its_mark_is_in_the_right_place() -> None:
    playback = player()
    playback.play(FRAME * 9)
    playback.clear()

    playback.play(FRAME)
    playback.mark("m")
    before = playback.echoes()
    playback.tick()

    assert (before, playback.echoes()) == ([], ["m"])


def test_what_exceeds_the_backlog_is_discarded_and_reported() -> None:
    playback = player(longest_backlog_ms=40)

    assert playback.play(FRAME * 2)
    assert not playback.play(FRAME)
    assert playback.figures.discarded_bytes == 160
    assert ticks(playback, 3) == [FRAME, FRAME, SILENT_FRAME]


def test_quiet_means_no_audio_no_mark_and_no_echo_outstanding() -> None:
    playback = player(mark_latency_ms=20)
    playback.play(FRAME)
    playback.mark("m")

    met = [playback.is_quiet]
    playback.tick()
    met.append(playback.is_quiet)
    playback.tick()
    playback.echoes()
    met.append(playback.is_quiet)

    assert met == [False, False, True]


def test_the_recording_holds_what_was_played_gaps_included() -> None:
    recording = Recording()
    playback = Playback(Figures(), recording)
    playback.play(FRAME)

    ticks(playback, 2)

    assert recording.mulaw == FRAME + SILENT_FRAME


# Underruns -------------------------------------------------------------------------------------------


def gap(
    dry_ticks: int, *, mark_before: bool = False, mark_after: bool = True, clear: bool = False
) -> tuple[int, int]:
    """Audio, a gap, audio, and the figures that come of it."""
    playback = player()
    playback.play(FRAME)
    playback.tick()
    if mark_before:
        playback.mark("first")
    ticks(playback, dry_ticks)
    if clear:
        playback.clear()
    playback.play(FRAME)
    if mark_after:
        playback.mark("last")
    playback.tick()
    playback.finish()
    return playback.figures.gaps.underruns, playback.figures.gaps.underrun_bytes // 8


def test_a_gap_within_an_utterance_is_an_underrun_however_long() -> None:
    assert gap(2) == (1, 40)
    assert gap(200) == (1, 4000)


def test_silence_before_the_first_and_after_the_last_audio_is_none() -> None:
    playback = player()
    ticks(playback, 10)
    playback.play(FRAME)
    playback.mark("m")
    ticks(playback, 10)
    playback.finish()

    assert playback.figures.gaps.underruns == 0


def test_a_gap_between_two_marked_utterances_is_a_pause() -> None:
    assert gap(2, mark_before=True) == (0, 0)


def test_a_late_mark_after_the_last_audio_is_no_underrun() -> None:
    playback = player()
    playback.play(FRAME)
    ticks(playback, 5)
    playback.mark("late")
    playback.finish()

    assert playback.figures.gaps.underruns == 0


@pytest.mark.parametrize(("dry_ticks", "expected"), [(50, (1, 1000)), (51, (0, 0))])
def test_without_marks_only_a_gap_of_up_to_a_second_counts(dry_ticks: int, expected: tuple[int, int]) -> None:
    assert gap(dry_ticks, mark_after=False) == expected


def test_a_gap_that_clear_made_is_none() -> None:
    assert gap(3, clear=True) == (0, 0)


def test_the_missing_part_of_a_frame_counts_when_audio_follows() -> None:
    playback = player()
    playback.play(FRAME[:80])
    playback.tick()
    playback.play(FRAME)
    playback.mark("m")
    playback.tick()

    assert playback.figures.gaps.underruns == 1
    assert playback.figures.gaps.underrun_bytes == 80


@given(st.lists(st.one_of(st.integers(1, 700), st.just("clear"), st.just("tick"))))
def test_every_byte_is_heard_cleared_or_still_waiting(deeds: list[int | str]) -> None:
    playback = player()
    for deed in deeds:
        if isinstance(deed, int):
            playback.play(b"\x10" * deed)
        elif deed == "clear":
            playback.clear()
        else:
            playback.tick()

    figures = playback.figures
    gone = figures.heard_bytes + figures.cleared_bytes
    playback.clear()
    assert gone <= figures.received_bytes == figures.heard_bytes + figures.cleared_bytes


@given(st.lists(st.integers(0, 500), min_size=1))
def test_marks_come_back_once_each_and_in_order(sizes: list[int]) -> None:
    playback = player()
    for number, size in enumerate(sizes):
        playback.play(b"\x10" * size)
        playback.mark(str(number))

    echoed = playback.echoes()
    for _ in range(sum(sizes) // 160 + 1):
        playback.tick()
        echoed += playback.echoes()

    assert echoed == [str(number) for number in range(len(sizes))]
