"""The caller's turns, in media time."""

from app.simulator.dialogue import Dialogue, Doings, TurnFigures
from app.simulator.plan import Patience, Turn

PATIENCE = Patience(quiet_before_turn_ms=100, quiet_before_end_ms=200, reply_within_ms=400)
SPEECH = bytes(range(160)) * 3  # 60 ms
HEARS, QUIET = "hears", "quiet"
WAITS = "waits"  # nothing plays, but a mark is still out


def live(dialogue: Dialogue, *moments: tuple[str, int]) -> list[Doings]:
    """What the caller does, tick by tick, while the hotline is heard, quiet, or about to be."""
    return [
        dialogue.tick(hears=what == HEARS, is_quiet=what == QUIET)
        for what, ms in moments
        for _ in range(ms // 20)
    ]


def spoke_at(doings: list[Doings]) -> list[int]:
    return [at * 20 for at, done in enumerate(doings) if done.mulaw is not None]


def hung_up_at(doings: list[Doings]) -> int | None:
    return next((at * 20 for at, done in enumerate(doings) if done.hangs_up), None)


def test_the_caller_speaks_when_the_greeting_has_ended_and_it_was_quiet_for_a_while() -> None:
    doings = live(Dialogue((Turn(SPEECH),), PATIENCE), (QUIET, 60), (HEARS, 200), (QUIET, 200))

    assert spoke_at(doings) == [340, 360, 380]
    assert b"".join(done.mulaw or b"" for done in doings) == SPEECH


def test_a_short_pause_between_sentences_is_not_the_end() -> None:
    doings = live(Dialogue((Turn(SPEECH),), PATIENCE), (HEARS, 100), (QUIET, 80), (HEARS, 100), (WAITS, 300))

    assert spoke_at(doings) == []


def test_turns_follow_each_other_each_after_the_reply_to_the_former() -> None:
    dialogue = Dialogue((Turn(SPEECH), Turn(SPEECH)), PATIENCE)

    doings = live(dialogue, (HEARS, 100), (QUIET, 300), (HEARS, 100), (QUIET, 160))

    assert spoke_at(doings) == [180, 200, 220, 580, 600, 620]


def test_keys_are_pressed_in_the_callers_turn() -> None:
    doings = live(Dialogue((Turn(digits="12#"),), PATIENCE), (HEARS, 100), (QUIET, 140))

    assert [done.digits for done in doings if done.digits] == ["12#"]
    assert spoke_at(doings) == []


def test_the_last_piece_of_speech_is_filled_up_with_silence() -> None:
    doings = live(Dialogue((Turn(b"\x10" * 200),), PATIENCE), (HEARS, 20), (QUIET, 200))

    assert b"".join(done.mulaw or b"" for done in doings) == b"\x10" * 200 + b"\xff" * 120


def test_a_caller_who_hears_nothing_speaks_all_the_same_and_hangs_up_in_the_end() -> None:
    doings = live(Dialogue((Turn(SPEECH),), PATIENCE), (QUIET, 2000))

    assert spoke_at(doings) == [380, 400, 420]
    assert hung_up_at(doings) == 820


def test_the_caller_hangs_up_when_the_last_reply_has_ended() -> None:
    dialogue = Dialogue((Turn(SPEECH),), PATIENCE)

    doings = live(dialogue, (HEARS, 100), (QUIET, 300), (HEARS, 100), (QUIET, 300))

    assert hung_up_at(doings) == 680


def test_a_patient_caller_stays() -> None:
    doings = live(Dialogue((), Patience(quiet_before_end_ms=None)), (HEARS, 100), (QUIET, 60_000))

    assert hung_up_at(doings) is None


def test_the_caller_can_hang_up_in_mid_sentence() -> None:
    doings = live(Dialogue((), Patience(hang_up_after_ms=100)), (QUIET, 40), (HEARS, 400))

    assert hung_up_at(doings) == 120


def test_an_interruption_begins_while_the_hotline_speaks() -> None:
    doings = live(Dialogue((Turn(SPEECH, interrupt_after_ms=100),), PATIENCE), (QUIET, 40), (HEARS, 400))

    assert spoke_at(doings) == [120, 140, 160]


def test_a_turn_is_measured_from_the_callers_last_sound() -> None:
    dialogue = Dialogue((Turn(SPEECH),), PATIENCE)

    live(dialogue, (HEARS, 100), (QUIET, 80 + 60 + 240), (HEARS, 120), (QUIET, 60), (HEARS, 40))

    assert dialogue.figures == [
        TurnFigures(caller_ms=60, at_ms=180, silence_ms=240, reply_ms=160, reply_at_ms=480)
    ]


def test_what_runs_on_into_the_callers_turn_is_not_the_reply() -> None:
    dialogue = Dialogue((Turn(SPEECH, interrupt_after_ms=100),), PATIENCE)

    live(dialogue, (HEARS, 400), (QUIET, 100), (HEARS, 60))

    assert dialogue.figures == [
        TurnFigures(caller_ms=60, at_ms=80, silence_ms=360, reply_ms=60, reply_at_ms=500)
    ]


def test_a_turn_can_have_a_pause_of_its_own_before_it() -> None:
    doings = live(Dialogue((Turn(SPEECH, quiet_ms=300),), PATIENCE), (HEARS, 100), (QUIET, 400))

    assert spoke_at(doings) == [380, 400, 420]


def test_falling_silent_is_measured_in_frames_from_the_callers_first_sound() -> None:
    breath = b"\xff" * 160
    dialogue = Dialogue((Turn(breath + SPEECH, interrupt_after_ms=100),), PATIENCE)

    live(dialogue, (HEARS, 100))
    dialogue.cleared()
    before = dialogue.figures[0].clear_ms
    live(dialogue, (HEARS, 60))
    dialogue.cleared()
    live(dialogue, (QUIET, 100))
    dialogue.cleared()

    (turn,) = dialogue.figures
    assert (before, turn.at_ms, turn.clear_ms) == (None, 100, 60)


def test_a_hotline_that_falls_silent_by_itself_interrupts_nobody() -> None:
    dialogue = Dialogue((), PATIENCE)

    live(dialogue, (HEARS, 100))
    dialogue.cleared()

    assert dialogue.figures == []


def test_a_turn_without_a_reply_says_so() -> None:
    dialogue = Dialogue((Turn(digits="1"),), PATIENCE)

    live(dialogue, (HEARS, 100), (QUIET, 400))

    assert dialogue.figures == [TurnFigures(caller_ms=0, at_ms=180, silence_ms=None, reply_ms=0)]


def test_a_reply_that_begins_before_the_caller_has_ended_was_not_waited_for() -> None:
    dialogue = Dialogue((Turn(SPEECH),), PATIENCE)

    live(dialogue, (HEARS, 100), (QUIET, 80 + 40), (HEARS, 120), (QUIET, 60))

    assert dialogue.figures == [
        TurnFigures(caller_ms=60, at_ms=180, silence_ms=0, reply_ms=120, reply_at_ms=220)
    ]


def test_time_without_a_stream_counts_for_the_reply_and_not_for_the_patience() -> None:
    dialogue = Dialogue((Turn(digits="1"),), PATIENCE)
    live(dialogue, (HEARS, 100), (QUIET, 140))
    dialogue.missed(3000)
    doings = live(dialogue, (HEARS, 100))

    assert not any(doing.hangs_up for doing in doings)
    assert dialogue.figures[0].silence_ms is not None and dialogue.figures[0].silence_ms >= 3000
