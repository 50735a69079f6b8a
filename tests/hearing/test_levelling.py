"""Soft lines are raised, loud ones left alone, and none is without a little noise."""

import numpy as np
import pytest

from app.hearing.levelling import MOST_DB, NOISE_DBFS, WANTED_DBFS, Floats, Levelling
from tests.hearing.sounds import noise, silence

WINDOW, CONTEXT = 256, 32


def windows_of(*dbfs: float) -> Floats:
    """One row for each level."""
    return np.stack([noise(0, (WINDOW + CONTEXT) / 8_000, level) for level in dbfs]).astype(np.float32)


def level_dbfs(window: Floats) -> float:
    return float(10 * np.log10(np.mean(np.square(window))))


@pytest.fixture
def levelling() -> Levelling:
    return Levelling(lines=3, window=WINDOW, context=CONTEXT)


def test_a_soft_line_is_raised_and_a_loud_one_is_not(levelling: Levelling) -> None:
    levels = [level_dbfs(row) for row in levelling.level([0, 1, 2], windows_of(-10, -36, -46))]

    assert levels == pytest.approx([-10, WANTED_DBFS, WANTED_DBFS], abs=1)


def test_gain_has_its_limit(levelling: Levelling) -> None:
    (softest,) = levelling.level([0], windows_of(-56))

    assert level_dbfs(softest) == pytest.approx(-56 + MOST_DB, abs=2)


def test_silence_is_a_little_noise(levelling: Levelling) -> None:
    silent = silence((WINDOW + CONTEXT) / 8_000)[None].astype(np.float32)

    heard = [levelling.level([0], silent)[0] for _ in range(64)]

    assert level_dbfs(np.concatenate(heard)) == pytest.approx(NOISE_DBFS, abs=1)


def test_windows_overlap_in_noise_as_they_do_in_sound(levelling: Levelling) -> None:
    silent = np.zeros((1, WINDOW + CONTEXT), np.float32)

    first, second = levelling.level([0], silent)[0], levelling.level([0], silent)[0]

    assert np.array_equal(first[-CONTEXT:], second[:CONTEXT])


def test_a_word_is_not_raised_by_the_pause_after_it(levelling: Levelling) -> None:
    levelling.level([0], windows_of(-20))

    soft = windows_of(-40)
    gains = [float((levelling.level([0], soft)[0] @ soft[0]) / (soft[0] @ soft[0])) for _ in range(60)]

    assert gains[0] == pytest.approx(1, abs=0.2)  # but for the noise
    assert gains[-1] == pytest.approx(10 ** (10 / 20), abs=0.2)  # 60 windows of 0.3 dB, from -20 dBFS


def test_a_line_is_forgotten_alone(levelling: Levelling) -> None:
    levelling.level([0, 1], windows_of(-20, -20))
    levelling.forget(1)

    loud, anew = levelling.level([0, 1], windows_of(-46, -46))

    assert level_dbfs(anew) - level_dbfs(loud) > 10


def test_lines_may_be_added(levelling: Levelling) -> None:
    levelling.level([2], windows_of(-20))
    levelling.grow(2)

    old, new = levelling.level([2, 4], windows_of(-46, -46))

    assert level_dbfs(new) - level_dbfs(old) > 10


def test_what_was_given_stays_as_it_was(levelling: Levelling) -> None:
    given = windows_of(-46)
    before = given.copy()

    levelling.level([0], given)

    assert np.array_equal(given, before)
