"""The network gives what the model it was made from gives."""

from importlib import resources

import numpy as np
import pytest

from app.hearing.silero import CELLS, CONTEXT, WINDOW, Floats, Silero, State
from tests.hearing.sounds import Sound, silence, speech

# What the package's own model says of the same sound (onnxruntime, full precision), every third window.
ORIGINAL = (
    0.017, 0.015, 0.009, 0.007, 0.984, 0.996, 0.994, 1.0, 0.999, 1.0, 1.0, 1.0,
    1.0, 0.999, 0.998, 0.999, 0.999, 0.577, 0.232, 0.512, 0.184, 0.051, 0.004, 0.002,
)  # fmt: skip


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero.load()


def fresh(lines: int) -> State:
    return State(np.zeros((lines, CELLS), np.float32), np.zeros((lines, CELLS), np.float32))


def windows_of(sound: Sound) -> Floats:
    """Each window behind the end of the one before."""
    padded = np.concatenate([np.zeros(CONTEXT), sound]).astype(np.float32)
    count = len(sound) // WINDOW
    return np.stack([padded[start * WINDOW : start * WINDOW + CONTEXT + WINDOW] for start in range(count)])


def test_probabilities_are_those_of_the_original_model(silero: Silero) -> None:
    sound = np.concatenate([silence(0.32), speech()[:12_800], silence(0.32)])
    state, found = fresh(1), []

    for window in windows_of(sound):
        probability, state = silero.step(window[None], state)
        found.append(float(probability[0]))

    # Half precision of the weights, summed up over the steps.
    assert found[::3] == pytest.approx(ORIGINAL, abs=0.02)


def test_lines_in_one_step_do_not_touch_each_other(silero: Silero) -> None:
    windows = windows_of(speech()[:8_000])
    together, alone = fresh(3), fresh(1)

    for window in windows:
        others = np.random.default_rng(1).standard_normal((2, CONTEXT + WINDOW)).astype(np.float32)
        three, together = silero.step(np.stack([others[0], window, others[1]]), together)
        one, alone = silero.step(window[None], alone)
        assert three[1] == pytest.approx(one[0], abs=1e-4)


def test_what_was_given_stays_as_it_was(silero: Silero) -> None:
    window, state = windows_of(speech()[4_000:4_256]), fresh(1)
    before = window.copy()

    _, after = silero.step(window, state)

    assert np.array_equal(window, before)
    assert not state.hidden.any() and not state.cell.any()
    assert after.hidden.shape == after.cell.shape == (1, CELLS)
    assert after.hidden.dtype == np.float32


def test_the_licence_stands_beside_the_weights() -> None:
    notice = (resources.files("app.hearing") / "data" / "LICENCE.silero-vad.txt").read_text()

    assert "MIT License" in notice and "Copyright (c) 2020-present Silero Team" in notice
