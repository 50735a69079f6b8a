"""Utterances begin, pause, go on, end, and interrupt, by frames in media time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hearing.endpointing import (
    TIMING,
    BargedIn,
    Endpointing,
    Event,
    UtteranceBegan,
    UtteranceDropped,
    UtteranceEnded,
    UtterancePaused,
    UtteranceResumed,
)


class Line:
    """Frames of 20 ms, one after the other, and what followed from them."""

    def __init__(self, endpointing: Endpointing | None = None) -> None:
        self.endpointing = endpointing or Endpointing()
        self.at_ms = 0
        self.events: list[Event] = []

    def hear(
        self, ms: int, voiced: bool, *, near: bool = True, speaking_since_ms: int | None = None
    ) -> list[Event]:
        new: list[Event] = []
        for _ in range(ms // 20):
            speaking_ms = None if speaking_since_ms is None else self.at_ms - speaking_since_ms
            new += self.endpointing.hear(
                self.at_ms, 0.9 if voiced else 0.05, near=near, speaking_ms=speaking_ms
            )
            self.at_ms += 20
        self.events += new
        return new


def test_an_utterance_begins_pauses_and_ends() -> None:
    line = Line()
    line.hear(1_000, False)
    line.hear(800, True)
    line.hear(2_000, False)

    assert line.events == [
        UtteranceBegan(1_100, voice_ms=1_000),
        UtterancePaused(2_100, voice_ms=1_800),
        UtteranceEnded(2_700, voice_ms=1_800, spoken_ms=800),
    ]


def test_less_than_a_start_is_nothing() -> None:
    line = Line()

    for _ in range(50):
        line.hear(80, True)
        line.hear(200, False)

    assert line.events == []


def test_a_noise_that_began_like_an_utterance_is_dropped() -> None:
    line = Line()
    line.hear(100, True)
    line.hear(2_000, False)

    assert line.events == [UtteranceBegan(100, voice_ms=0), UtteranceDropped(400)]


def test_the_shortest_word_is_not_dropped() -> None:
    line = Line()
    line.hear(120, True)
    line.hear(2_000, False)

    assert line.events[-1] == UtteranceEnded(1_020, voice_ms=120, spoken_ms=120)


def test_a_voice_that_comes_back_goes_on_with_the_utterance() -> None:
    line = Line()
    line.hear(400, True)
    line.hear(600, False)
    line.hear(400, True)
    line.hear(1_000, False)

    assert line.events == [
        UtteranceBegan(100, voice_ms=0),
        UtterancePaused(700, voice_ms=400),
        UtteranceResumed(1_060, voice_ms=1_000),
        UtterancePaused(1_700, voice_ms=1_400),
        UtteranceEnded(2_300, voice_ms=1_400, spoken_ms=760),
    ]


def test_a_single_voiced_frame_in_the_pause_is_no_voice() -> None:
    line = Line()
    line.hear(400, True)
    line.hear(880, False)

    assert line.hear(20, True) == []  # 900 ms are over, but it might be the first frame of more
    assert line.hear(20, False) == [UtteranceEnded(1_320, voice_ms=400, spoken_ms=400)]


def test_the_voice_that_comes_back_in_the_last_moment_is_waited_for() -> None:
    line = Line()
    line.hear(400, True)
    line.hear(860, False)

    assert line.hear(60, True) == [UtteranceResumed(1_320, voice_ms=1_260)]


@pytest.mark.parametrize(
    ("text", "digits", "silence_ms"),
    [
        ("what are the tour dates", False, 500),
        ("I live in Leipzig", False, 900),
        ("", False, 900),
        ("I live in Leipzig and", False, 1_500),
        ("five five five", False, 1_500),
        ("what are the tour dates", True, 1_500),
    ],
)
def test_the_words_say_how_long_a_silence_is_waited_out(text: str, digits: bool, silence_ms: int) -> None:
    line = Line()
    line.endpointing.expect(("Tour dates",), digits=digits)
    line.hear(400, True)
    line.endpointing.transcribed(text)
    assert line.endpointing.patience_ms == silence_ms

    line.hear(3_000, False)

    assert line.events[-1] == UtteranceEnded(400 + silence_ms, voice_ms=400, spoken_ms=400)


def test_words_that_come_late_may_end_it_at_once() -> None:
    line = Line()
    line.hear(400, True)
    line.hear(700, False)

    assert line.endpointing.transcribed("yes") == [UtteranceEnded(1_100, voice_ms=400, spoken_ms=400)]


def test_words_do_not_end_a_voice() -> None:
    line = Line()
    line.hear(400, True)

    assert line.endpointing.transcribed("yes") == []


def test_the_words_of_one_utterance_are_not_those_of_the_next() -> None:
    line = Line()
    line.hear(400, True)
    line.endpointing.transcribed("yes")
    line.hear(1_000, False)
    line.hear(400, True)

    assert line.endpointing.patience_ms == TIMING.open_ms


def test_an_endless_voice_is_cut_and_goes_on_as_the_next() -> None:
    line = Line()
    line.hear(20_400, True)

    assert line.events == [
        UtteranceBegan(100, voice_ms=0),
        UtteranceEnded(20_000, voice_ms=20_000, spoken_ms=20_000),
        UtteranceBegan(20_100, voice_ms=20_000),
    ]


def test_missing_frames_are_silence() -> None:
    line = Line()
    line.hear(400, True)
    line.at_ms += 700

    assert line.hear(20, True) == [UtterancePaused(1_100, voice_ms=400)]


def test_a_long_hole_ends_what_was_before_it() -> None:
    line = Line()
    line.hear(400, True)
    line.at_ms += 5_000

    assert line.hear(140, True) == [
        UtterancePaused(5_400, voice_ms=400),
        UtteranceEnded(5_400, voice_ms=400, spoken_ms=400),
        UtteranceBegan(5_500, voice_ms=5_400),
    ]


def test_frames_on_both_sides_of_a_hole_are_no_start_together() -> None:
    line = Line()
    line.hear(80, True)
    line.at_ms += 3_000

    assert line.hear(80, True) == []


def test_time_passes_without_any_frame() -> None:
    line = Line()
    line.hear(400, True)

    assert line.endpointing.pass_time(690) == []
    assert line.endpointing.pass_time(700) == [UtterancePaused(700, voice_ms=400)]
    assert line.endpointing.pass_time(1_300) == [UtteranceEnded(1_300, voice_ms=400, spoken_ms=400)]
    assert line.endpointing.pass_time(60_000) == []


def test_frames_that_were_only_late_count_at_their_own_time() -> None:
    line = Line()
    line.endpointing.pass_time(5_000)
    assert line.endpointing.pass_time(4_000) == []
    line.hear(400, True)
    line.hear(1_000, False)

    assert [event.at_ms for event in line.events] == [100, 700, 1_300]


def test_the_caller_barges_in_after_less_than_two_tenths_of_a_second() -> None:
    line = Line()
    line.hear(2_000, False, speaking_since_ms=0)

    events = line.hear(400, True, speaking_since_ms=0)

    assert events == [UtteranceBegan(2_100, voice_ms=2_000), BargedIn(2_160, voice_ms=2_000)]


def test_an_echo_neither_begins_nor_barges_in() -> None:
    line = Line()

    assert line.hear(5_000, True, near=False, speaking_since_ms=0) == []


def test_nobody_barges_in_on_our_first_syllable() -> None:
    line = Line()
    line.hear(400, True)

    events = line.hear(600, True, speaking_since_ms=400)

    assert events == [BargedIn(720, voice_ms=0)]


def test_without_a_voice_of_ours_there_is_no_barge_in() -> None:
    line = Line()
    line.hear(2_000, True)

    assert not any(isinstance(event, BargedIn) for event in line.events)


def test_the_next_utterance_barges_in_again() -> None:
    line = Line()
    for _ in range(2):
        line.hear(600, True, speaking_since_ms=-1_000)
        line.hear(1_500, False, speaking_since_ms=-1_000)

    assert [event.at_ms for event in line.events if isinstance(event, BargedIn)] == [160, 2_260]


def test_the_numbers_are_the_timings() -> None:
    line = Line(Endpointing(replace(TIMING, pause_ms=100, finished_ms=150, open_ms=200)))
    line.hear(400, True)
    line.hear(400, False)

    assert [event.at_ms for event in line.events[1:]] == [500, 600]


@pytest.mark.parametrize(
    "wrong",
    [{"pause_ms": 50}, {"finished_ms": 200}, {"open_ms": 400}, {"unfinished_ms": 800}, {"longest_ms": 1_000}],
)
def test_timings_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(TIMING, **wrong)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30), st.booleans()), max_size=40))
def test_events_keep_their_order_whatever_is_heard(pieces: list[tuple[bool, int, bool]]) -> None:
    line = Line()
    for voiced, frames, hole in pieces:
        line.at_ms += 300 if hole else 0
        line.hear(frames * 20, voiced)
    line.hear(3_000, False)

    open_, talking, last_ms = False, False, 0
    for event in line.events:
        assert event.at_ms >= last_ms
        last_ms = event.at_ms
        match event:
            case UtteranceBegan():
                assert not open_
                open_ = talking = True
            case UtterancePaused():
                assert talking
                talking = False
            case UtteranceResumed():
                assert open_ and not talking
                talking = True
            case UtteranceEnded() | UtteranceDropped():
                assert open_
                open_ = talking = False
            case BargedIn():
                raise AssertionError("we were silent")
    assert not open_
