"""The gate lets the caller through and stops ourselves, as well as the line allows."""

from dataclasses import replace
from random import Random

import pytest

from app.hearing.echo import HEARD_DBFS, MARGINS, EchoGate

OURS_DBFS = -18.0


def talk(
    gate: EchoGate,
    frames: int,
    *,
    loss_db: float,
    start_ms: int = 0,
    delay_ms: int = 200,
    caller_dbfs: float = -70.0,
) -> list[bool]:
    """We speak, with dips between syllables, and hear ourselves; which frames count as the caller's?"""
    chance = Random(start_ms)
    syllables = [chance.choice((0, 2, 5, 12, 20, 6, 1)) for _ in range(frames // 3 + 1)]
    levels = [OURS_DBFS - syllables[index // 3] for index in range(frames)]
    near = []
    for index in range(frames):
        at_ms = start_ms + index * 20
        gate.played(at_ms, levels[index])
        came_back = index - delay_ms // 20
        near.append(
            gate.is_near(at_ms, max(levels[came_back] - loss_db if came_back >= 0 else -70, caller_dbfs))
        )
    return near


def test_while_we_are_silent_everything_is_near() -> None:
    gate = EchoGate()

    assert gate.is_near(0, -70) and gate.is_near(20, -20)
    assert gate.speaking_ms(20) is None


def test_until_the_line_is_known_the_margin_is_the_first() -> None:
    gate = EchoGate()
    gate.played(0, -18)

    assert not gate.is_near(0, -18 - 12.5)
    assert gate.is_near(20, -18 - 11.5)
    assert gate.margin_db == MARGINS.start_db


@pytest.mark.parametrize(
    ("loss_db", "margin_db"), [(8, 3), (10, 4), (15, 9), (20, 14), (24, 18), (26, 20), (45, 24)]
)
def test_the_margin_is_learned_from_what_comes_back(loss_db: float, margin_db: float) -> None:
    gate = EchoGate()

    talk(gate, 250, loss_db=loss_db)

    assert gate.margin_db == pytest.approx(margin_db, abs=1.5)


@pytest.mark.parametrize("loss_db", [15, 18, 20, 26, 40])
def test_our_echo_is_not_near_for_long(loss_db: float) -> None:
    near = talk(EchoGate(), 500, loss_db=loss_db)

    assert max(sum(near[start : start + 12]) for start in range(500)) < 10


def test_before_the_echo_can_be_back_the_margin_does_not_widen() -> None:
    gate = EchoGate()

    talk(gate, 49, loss_db=60)

    assert gate.margin_db == MARGINS.start_db


def test_a_caller_who_interrupts_does_not_teach_us_a_worse_line() -> None:
    gate = EchoGate()
    talk(gate, 150, loss_db=30)
    learned_db = gate.margin_db

    near = talk(gate, 50, loss_db=8, start_ms=3_000, delay_ms=0)  # a voice 8 dB below ours

    assert near.count(True) == 50
    assert gate.margin_db == learned_db


def test_a_soft_syllable_of_the_caller_is_still_near_but_an_echo_is_not() -> None:
    gate = EchoGate()
    talk(gate, 250, loss_db=24)  # margin 18, and 22 while the caller goes on
    for start_ms in range(5_000, 6_000, 20):
        gate.played(start_ms, OURS_DBFS)
    before_the_echo = [gate.is_near(5_000 + 20 * frame, OURS_DBFS - 30) for frame in range(10)]

    alone = [gate.is_near(5_200 + 20 * frame, OURS_DBFS - 20) for frame in range(10)]
    levels = [OURS_DBFS - 10] * 5 + [OURS_DBFS - 20] * 10 + [OURS_DBFS - 24] * 10
    after_the_caller = [gate.is_near(5_400 + 20 * frame, level) for frame, level in enumerate(levels)]

    assert not any(before_the_echo[5:])
    assert not any(alone[5:])
    assert after_the_caller == [True] * 19 + [False] * 6


def test_a_line_that_gets_worse_is_learned_anew() -> None:
    gate = EchoGate()
    talk(gate, 400, loss_db=30)

    near = talk(gate, 1_500, loss_db=15, start_ms=8_000)  # the phone is put on its loudspeaker

    assert gate.margin_db == pytest.approx(15 - MARGINS.headroom_db, abs=1.5)
    assert not any(near[-100:])


def test_our_voice_is_remembered_until_its_echo_must_be_back() -> None:
    gate = EchoGate()
    gate.played(0, -18)

    assert not gate.is_near(680, -40)
    assert gate.is_near(700, -40)


def test_what_we_have_not_played_yet_makes_no_echo() -> None:
    gate = EchoGate()
    gate.played(400, -18)

    assert gate.is_near(380, -40)
    assert not gate.is_near(400, -40)


def test_what_was_cleared_is_never_played() -> None:
    gate = EchoGate()
    for start_ms in range(0, 400, 20):
        gate.played(start_ms, -60 if start_ms < 100 else -18)

    gate.cleared(100)

    assert gate.is_near(200, -65)
    assert gate.speaking_ms(200) is None


def test_silence_of_ours_makes_no_echo() -> None:
    gate = EchoGate()
    gate.played(0, HEARD_DBFS)

    assert gate.is_near(0, -65)


def test_speaking_is_counted_from_its_beginning_over_short_pauses() -> None:
    gate = EchoGate()
    for start_ms in (*range(1_000, 1_200, 20), *range(1_500, 1_700, 20)):
        gate.played(start_ms, -18)

    assert gate.speaking_ms(980) is None
    assert gate.speaking_ms(1_100) == 100
    assert gate.speaking_ms(1_400) is None
    assert gate.speaking_ms(1_600) == 600
    gate.played(5_000, -18)
    assert gate.speaking_ms(5_000) == 0


def test_the_callers_level_holds_over_a_dip() -> None:
    gate = EchoGate()
    gate.played(0, -18)
    gate.is_near(0, -20)

    assert [gate.is_near(20 * frame, -60) for frame in range(1, 7)] == [True] * 4 + [False] * 2


def test_between_our_syllables_a_soft_caller_is_near_once_the_delay_is_known() -> None:
    gate = EchoGate()
    talk(gate, 250, loss_db=12)  # the echo is as soft as the caller will be

    near = talk(gate, 100, loss_db=12, start_ms=5_000, caller_dbfs=OURS_DBFS - 12)

    assert sum(near) > 30


def test_an_echo_is_not_near_in_our_pauses_however_late_it_comes() -> None:
    for delay_ms in range(0, 520, 40):
        gate = EchoGate()
        near = talk(gate, 400, loss_db=15, delay_ms=delay_ms)
        late = [OURS_DBFS - 15] * (delay_ms // 20)

        near += [gate.is_near(8_000 + 20 * frame, level) for frame, level in enumerate(late)]

        assert not any(near), delay_ms


def test_a_short_memory_is_no_trouble_to_a_long_delay() -> None:
    gate = EchoGate(replace(MARGINS, memory_ms=100))

    talk(gate, 400, loss_db=15, delay_ms=600)

    assert gate.margin_db >= MARGINS.aligned_least_db


@pytest.mark.parametrize("wrong", [{"least_db": 14}, {"most_db": 10}, {"memory_ms": 20}, {"hold_ms": 0}])
def test_margins_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(MARGINS, **wrong)
