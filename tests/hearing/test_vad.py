"""One step judges the frames of all lines, each by its own past."""

import math

import pytest

from app.audio import mulaw as g711
from app.audio.frame import FRAME_BYTES, SILENCE
from app.hearing.silero import Silero
from app.hearing.vad import LONGEST_BURST, SILENT_DBFS, VadBank, Verdict, levels_dbfs
from tests.hearing.sounds import mulaw_frames, noise, silence, speech, tones

QUIET = SILENCE * FRAME_BYTES
SPEECH = mulaw_frames(speech()[:16_000])


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero.load()


@pytest.fixture
def bank(silero: Silero) -> VadBank:
    return VadBank(silero)


def probabilities(bank: VadBank, slot: int, frames: list[bytes]) -> list[float]:
    """One frame a step, as in a call."""
    found: list[Verdict] = []
    for index, mulaw in enumerate(frames):
        bank.push(slot, index * 20, mulaw)
        found += [verdict for verdict in bank.step() if verdict.slot == slot]
    return [verdict.probability for verdict in found]


def test_every_frame_gets_a_verdict_with_its_time_and_audio(bank: VadBank) -> None:
    first, second = bank.add(), bank.add()
    bank.push(first, 40, SPEECH[30])
    bank.push(second, 1_000, QUIET)

    verdicts = bank.step()

    assert [(v.slot, v.at_ms, v.mulaw) for v in verdicts] == [(first, 40, SPEECH[30]), (second, 1_000, QUIET)]
    assert bank.step() == []


def test_speech_is_likely_and_silence_is_not(bank: VadBank) -> None:
    slot = bank.add()

    found = probabilities(bank, slot, [*SPEECH, *[QUIET] * 25])

    assert min(found[12:40]) > 0.9
    assert max(found[-10:]) < 0.1


def test_a_burst_is_judged_as_if_it_had_come_in_time(bank: VadBank) -> None:
    slot, late = bank.add(), bank.add()
    in_time = probabilities(bank, slot, SPEECH[:40])

    for index, mulaw in enumerate(SPEECH[:40]):
        bank.push(late, index * 20, mulaw)
    burst = bank.step()

    assert [verdict.at_ms for verdict in burst] == list(range(0, 800, 20))
    assert [verdict.probability for verdict in burst] == pytest.approx(in_time, abs=1e-4)


def test_of_a_burst_beyond_all_reason_the_oldest_frames_are_dropped(bank: VadBank) -> None:
    slot = bank.add()

    for index in range(LONGEST_BURST + 7):
        bank.push(slot, index * 20, QUIET)

    assert [verdict.at_ms for verdict in bank.step()][:1] == [7 * 20]
    assert bank.dropped_frames == 7


def test_a_line_knows_nothing_of_who_had_its_place_before(bank: VadBank) -> None:
    first = bank.add()
    probabilities(bank, first, SPEECH[:37])
    bank.push(first, 740, SPEECH[37])
    bank.remove(first)

    second = bank.add()

    assert second == first
    assert bank.step() == []
    untouched = VadBank(Silero.load())
    assert probabilities(bank, second, SPEECH[:30]) == probabilities(untouched, untouched.add(), SPEECH[:30])


def test_lines_beyond_the_first_places_are_heard_as_well(bank: VadBank) -> None:
    slots = [bank.add() for _ in range(40)]
    alone = VadBank(Silero.load())
    expected = probabilities(alone, alone.add(), SPEECH[:30])

    for mulaw in SPEECH[:30]:
        for slot in slots:
            bank.push(slot, 0, mulaw)
        last = {verdict.slot: verdict.probability for verdict in bank.step()}

    assert len(bank) == 40 and sorted(slots) == list(range(40))
    assert list(last.values()) == pytest.approx([expected[-1]] * 40, abs=1e-4)


def test_growing_keeps_what_the_lines_remember(bank: VadBank) -> None:
    slot, other = bank.add(), VadBank(Silero.load())
    probabilities(bank, slot, SPEECH[:20])
    expected = probabilities(other, other.add(), SPEECH[:40])[20:]

    for _ in range(20):
        bank.add()

    assert probabilities(bank, slot, SPEECH[20:40]) == pytest.approx(expected, abs=1e-4)


def test_a_forgetful_line_begins_anew(bank: VadBank) -> None:
    slot, other = bank.add(), VadBank(Silero.load())
    probabilities(bank, slot, SPEECH[:41])

    bank.forget(slot)

    assert probabilities(bank, slot, SPEECH[:20]) == probabilities(other, other.add(), SPEECH[:20])


def test_levels_are_those_of_each_frame() -> None:
    frames = [
        *mulaw_frames(tones((1_000,), 0.02, -20)),
        *mulaw_frames(noise(0, 0.02, -46)),
        *mulaw_frames(silence(0.02)),
    ]

    levels = levels_dbfs(b"".join(frames))

    assert levels[:2] == pytest.approx([g711.level_dbfs(frames[0]), g711.level_dbfs(frames[1])], abs=0.01)
    assert levels[2] == pytest.approx(SILENT_DBFS) and g711.level_dbfs(frames[2]) == -math.inf
    assert levels_dbfs(b"") == []
