"""A whole line, from frames to events: what is heard, what is not, and what interrupts."""

from dataclasses import replace

import numpy as np
import pytest

from app.audio.frame import FRAME_BYTES
from app.hearing.ear import Ears, Event, KeyHeard, Tuning, UtteranceAudio
from app.hearing.endpointing import (
    TIMING,
    UtteranceBegan,
    UtteranceEnded,
    UtterancePaused,
    UtteranceResumed,
)
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from tests.hearing.lines import run, run_open, run_sounds
from tests.hearing.sounds import (
    FRAME,
    RATE,
    at_level,
    mulaw_frames,
    noise,
    not_speech,
    silence,
    speech,
    tones,
)

SPEECH = speech()
WORD = SPEECH[: RATE // 2 * 3]  # 1.5 s
LINE = np.concatenate([silence(1), WORD, silence(2)])
QUIET = mulaw_frames(silence(0.02))[0]


@pytest.fixture
def ears() -> Ears:
    return Ears(VadBank(Silero.load()))


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events if not isinstance(event, UtteranceAudio)]


def audio(events: list[Event]) -> bytes:
    return b"".join(event.mulaw for event in events if isinstance(event, UtteranceAudio))


# What is speech, and what is not --------------------------------------------------------------------------


def test_nothing_begins_on_noise_hum_clicks_coughs_tones_and_music() -> None:
    found = run_sounds(not_speech(12))

    keys = found.pop("keys")
    assert found == {name: [] for name in found}
    assert kinds(keys) == ["KeyHeard"] * 48  # four a second


def test_soft_and_noisy_speech_is_heard_from_its_first_syllable_to_its_last() -> None:
    lines = {f"{level} dBFS": at_level(LINE, level) for level in (-10, -20, -30, -40, -46)}
    for name, colour in (("white", 0), ("pink", 10), ("brown", 20)):
        for snr_db in (10, 5):
            lines[f"{snr_db} dB over {name}"] = LINE + noise(colour, len(LINE) / RATE, -20 - snr_db)

    for name, events in run_sounds(lines).items():
        began, *_, ended = events
        assert isinstance(began, UtteranceBegan) and isinstance(ended, UtteranceEnded), name
        assert kinds(events).count("UtteranceBegan") == 1, name
        assert 1_000 <= began.voice_ms <= 1_160 and began.at_ms <= 1_300, name
        assert 2_300 <= ended.voice_ms <= 2_760, name


# What the recogniser gets ---------------------------------------------------------------------------------


def test_the_recogniser_gets_the_utterance_with_what_was_before_it(ears: Ears) -> None:
    frames = mulaw_frames(LINE)

    events = run(ears, {"": frames})[""]

    began = next(event for event in events if isinstance(event, UtteranceBegan))
    paused = next(event for event in events if isinstance(event, UtterancePaused))
    assert audio(events) == b"".join(frames[began.at_ms // 20 - 20 : paused.at_ms // 20])
    assert began.at_ms - 400 <= began.voice_ms - 200
    kinds_in_order = [type(event) for event in events]
    assert kinds_in_order[:2] == [UtteranceBegan, UtteranceAudio]
    assert kinds_in_order[-3:] == [UtteranceAudio, UtterancePaused, UtteranceEnded]


def test_after_a_pause_nothing_is_given_twice(ears: Ears) -> None:
    frames = mulaw_frames(np.concatenate([silence(1), WORD[:8_000], silence(0.7), WORD, silence(2)]))

    events = run(ears, {"": frames})[""]

    assert kinds(events)[:3] == ["UtteranceBegan", "UtterancePaused", "UtteranceResumed"]
    paused = next(event for event in events if isinstance(event, UtterancePaused))
    resumed = next(event for event in events if isinstance(event, UtteranceResumed))
    after = audio(events[events.index(resumed) :])
    heard = b"".join(frames)
    start = heard.index(after[: 8 * FRAME_BYTES], paused.at_ms * 8)
    assert start >= paused.at_ms * 8


# Holes, bursts and late frames ----------------------------------------------------------------------------


def test_lost_frames_in_a_word_do_not_split_it(ears: Ears) -> None:
    frames: list[bytes | None] = list(mulaw_frames(LINE))
    for lost in (70, 71, 90, 100, 101, 102):
        frames[lost] = None

    assert kinds(run(ears, {"": frames})[""]) == ["UtteranceBegan", "UtterancePaused", "UtteranceEnded"]


def test_a_line_that_falls_silent_without_packets_ends_the_utterance(ears: Ears) -> None:
    frames: list[bytes | None] = [*mulaw_frames(LINE)[:120], *[None] * 100]

    events = run(ears, {"": frames})[""]

    assert kinds(events) == ["UtteranceBegan", "UtterancePaused", "UtteranceEnded"]
    assert events[-1].at_ms == pytest.approx(2_400 + 900, abs=40)  # type: ignore[union-attr]


def test_a_stream_that_begins_late_is_heard_like_any_other(ears: Ears) -> None:
    ear = ears.open()
    for _ in range(300):
        assert ears.step() == []

    (late,) = run_open(ears, {"": ear}, {"": mulaw_frames(LINE)}, {}).values()

    assert late == run(ears, {"": mulaw_frames(LINE)})[""]


def test_a_short_delay_of_packets_is_not_silence(ears: Ears) -> None:
    ear = ears.open()
    frames = mulaw_frames(LINE)
    for index in range(90):
        ear.hear(index * 20, frames[index])
        ears.step()

    waited = [ears.step() for _ in range(10)]
    for index in range(90, 101):  # what was held back comes at once
        ear.hear(index * 20, frames[index])
    burst = [event for _, events in ears.step() for event in events]

    assert waited == [[]] * 10
    assert kinds(burst) == []
    assert audio(burst) == b"".join(frames[90:101])


def test_a_hole_of_a_minute_costs_nothing_and_is_silence(ears: Ears) -> None:
    ear = ears.open()
    for index, mulaw in enumerate(mulaw_frames(LINE)[:100]):
        ear.hear(index * 20, mulaw)
        ears.step()

    ear.hear(62_000, QUIET)
    events = [event for _, events in ears.step() for event in events]

    assert kinds(events) == ["UtterancePaused", "UtteranceEnded"]
    assert ear.now_ms == 62_020


def test_frames_that_swap_places_or_come_twice_do_not_split_a_word(ears: Ears) -> None:
    ear = ears.open()
    order = list(range(len(mulaw_frames(LINE))))
    for swapped in range(55, 120, 9):
        order[swapped], order[swapped + 1] = order[swapped + 1], order[swapped]
    for repeated in range(60, 120, 11):
        order.insert(repeated, order[repeated - 1])

    events: list[Event] = []
    for index in order:
        ear.hear(index * 20, mulaw_frames(LINE)[index])
        events += [event for _, news in ears.step() for event in news]

    assert kinds(events) == ["UtteranceBegan", "UtterancePaused", "UtteranceEnded"]
    assert len(audio(events)) % FRAME_BYTES == 0
    assert ear.now_ms == len(mulaw_frames(LINE)) * 20


def test_late_and_repeated_frames_are_not_heard(ears: Ears) -> None:
    ear = ears.open()
    for at_ms in (0, 20, 40, 20, 60, 60, 80):
        ear.hear(at_ms, QUIET)

    assert (ear.now_ms, ear.late_frames) == (100, 2)


def test_small_errors_of_the_timestamps_do_not_add_up(ears: Ears) -> None:
    ear = ears.open()
    for at_ms in (5, 19, 47, 60, 71, 102):
        ear.hear(at_ms, QUIET)

    assert (ear.now_ms, ear.late_frames) == (120, 0)


def test_a_count_that_begins_anew_goes_on_in_our_time(ears: Ears) -> None:
    ear = ears.open()
    for at_ms in (10_000, 10_020, 0, 20, 40):
        ear.hear(at_ms, QUIET)

    assert (ear.now_ms, ear.late_frames) == (10_100, 0)


def test_pieces_of_any_length_become_frames(ears: Ears) -> None:
    ear, frames = ears.open(), mulaw_frames(LINE)
    line = b"".join(frames)
    events: list[Event] = []
    for start in range(0, len(line), 400):
        ear.hear(start // 8, line[start : start + 400])
        events += [event for _, news in ears.step() for event in news]

    assert kinds(events) == ["UtteranceBegan", "UtterancePaused", "UtteranceEnded"]


# Our own voice ------------------------------------------------------------------------------------------


def test_what_was_cleared_makes_no_gate(ears: Ears) -> None:
    ear = ears.open()
    ear.played(0, b"".join(mulaw_frames(at_level(SPEECH, -18))[:100]))  # 2 s ahead
    for index in range(50):
        ear.hear(index * 20, QUIET)
        ears.step()

    ear.cleared(1_000)
    soft = mulaw_frames(np.concatenate([silence(0.6), at_level(WORD, -44), silence(1)]))
    (events,) = run_open(ears, {"": ear}, {"": soft}, {}, start_ms=1_000).values()

    assert kinds(events)[0] == "UtteranceBegan"


def test_what_is_cleared_before_it_was_even_noted_makes_no_gate(ears: Ears) -> None:
    ear = ears.open()
    ear.played(0, b"".join(mulaw_frames(at_level(SPEECH, -18))[:100]))

    ear.cleared(0)
    soft = mulaw_frames(np.concatenate([silence(0.2), at_level(WORD, -44), silence(1)]))
    (events,) = run_open(ears, {"": ear}, {"": soft}, {}).values()

    assert kinds(events)[0] == "UtteranceBegan"


# Keys -----------------------------------------------------------------------------------------------------


def pressed() -> list[bytes]:
    tone = tones((770, 1_336), 0.1, -15)
    return mulaw_frames(np.concatenate([silence(0.2), tone, silence(0.2), tone, silence(0.2)]))


def test_a_key_heard_and_then_reported_counts_once(ears: Ears) -> None:
    ear = ears.open()
    (events,) = run_open(ears, {"": ear}, {"": pressed()[:20]}, {}).values()

    assert [event.key for event in events if isinstance(event, KeyHeard)] == ["5"]
    assert not ear.reported("5")


def test_once_reported_keys_are_not_heard_as_well(ears: Ears) -> None:
    ear = ears.open()
    assert ear.reported("5")

    (events,) = run_open(ears, {"": ear}, {"": pressed()}, {}).values()

    assert events == []


def test_keys_in_a_burst_of_frames_are_those_of_frames_in_time(ears: Ears) -> None:
    ear = ears.open()
    for index, mulaw in enumerate(pressed()):
        ear.hear(index * 20, mulaw)

    ((_, events),) = ears.step()

    assert [event.key for event in events if isinstance(event, KeyHeard)] == ["5", "5"]


def test_a_key_pressed_right_after_a_word_is_heard(ears: Ears) -> None:
    line = np.concatenate([WORD, silence(0.25), tones((941, 1_477), 0.1, -15), silence(0.3)])

    (events,) = run(ears, {"": mulaw_frames(line)}).values()

    assert [event.key for event in events if isinstance(event, KeyHeard)] == ["#"]


# Numbers --------------------------------------------------------------------------------------------------


def test_the_numbers_are_those_that_were_handed_in() -> None:
    patient = Ears(VadBank(Silero.load()), Tuning(timing=replace(TIMING, open_ms=2_000, unfinished_ms=2_000)))

    paused, ended = run(patient, {"": [*mulaw_frames(LINE), *[QUIET] * 100]})[""][-2:]

    assert isinstance(paused, UtterancePaused) and isinstance(ended, UtteranceEnded)
    assert ended.at_ms - paused.voice_ms == 2_000


# Many at once ---------------------------------------------------------------------------------------------


def test_each_line_hears_only_itself(ears: Ears) -> None:
    lines = {"late": np.concatenate([silence(1), LINE]), "silent": silence(5), "early": LINE}
    frames = {name: mulaw_frames(sound) for name, sound in lines.items()}

    events = run(ears, frames)

    began = {
        name: [event.at_ms for event in found if isinstance(event, UtteranceBegan)]
        for name, found in events.items()
    }
    assert began["silent"] == []
    assert began["late"][0] == pytest.approx(began["early"][0] + 1_000, abs=40)
    assert audio(events["early"]) in b"".join(frames["early"])


def test_a_closed_ear_leaves_nothing_to_the_next(ears: Ears) -> None:
    first = ears.open()
    for index, mulaw in enumerate(mulaw_frames(LINE)[:100]):
        first.hear(index * 20, mulaw)
        ears.step()
    first.hear(2_000, QUIET)

    ears.close(first)
    second = ears.open()
    second.hear(0, mulaw_frames(LINE)[100])

    assert ears.step() == []
    assert second.now_ms == FRAME // 8
