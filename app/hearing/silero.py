"""The voice activity network: 32 ms windows of 8 kHz audio in, the probability that it is speech out.

The 8 kHz half of Silero VAD v6 in numpy, for any number of lines at once: a short-time spectrum, four
convolutions and one recurrent layer, each a single matrix product for all lines together. The weights are
data under the MIT licence (`data/LICENCE.silero-vad.txt`), made by `fixtures/make_vad_weights.py`.

Source: https://github.com/snakers4/silero-vad
"""

from collections.abc import Mapping
from importlib import resources
from typing import NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WINDOW = 256  # samples that are new in each step: 32 ms
CONTEXT = 32  # samples repeated from the window before
CELLS = 128  # of the recurrent layer

_SPECTRA = 4  # short-time spectra in a window
_LENGTH, _HOP, _BINS = 128, 64, 65  # samples, samples, frequencies of each
_PADDED = _LENGTH + _HOP * (_SPECTRA - 1)


class State(NamedTuple):
    """What the network remembers of each line; zeros at the start of a line."""

    hidden: Floats  # (lines, CELLS)
    cell: Floats  # (lines, CELLS)


class Silero:
    """The network; without state of its own, so that one serves all lines."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._weights = weights

    @classmethod
    def load(cls) -> Self:
        """Read the weights that come with the product: some 10 ms, once a process."""
        path = resources.files("app.hearing") / "data" / "silero_vad_8k.npz"
        with path.open("rb") as file, np.load(file) as arrays:
            return cls({name: arrays[name].astype(np.float32) for name in arrays.files})

    def step(self, windows: Floats, state: State) -> tuple[Floats, State]:
        """Take one window of each line.

        Args:
            windows: (lines, CONTEXT + WINDOW) samples within -1..1.
            state: of the same lines in the same order.

        Returns:
            The probabilities, (lines,), and the state after them.
        """
        weights = self._weights
        given = np.concatenate([self._encode(windows), state.hidden], axis=1)
        gates = np.tanh(given @ weights["lstm"] + weights["lstm_bias"])
        # The weights are halved for this: sigmoid(x) = (1 + tanh(x / 2)) / 2.
        opened = gates[:, : 3 * CELLS] * 0.5 + 0.5
        into, forget, out = opened[:, :CELLS], opened[:, CELLS : 2 * CELLS], opened[:, 2 * CELLS :]
        cell = forget * state.cell + into * gates[:, 3 * CELLS :]
        hidden = out * np.tanh(cell)
        score = np.maximum(hidden, 0) @ weights["out"] + weights["out_bias"]
        return np.tanh(score * 0.5) * 0.5 + 0.5, State(hidden, cell)

    def _encode(self, windows: Floats) -> Floats:
        """What a window sounds like: (lines, CELLS)."""
        loudness = np.zeros((len(windows), _SPECTRA + 2, _BINS), np.float32)  # one empty spectrum either side
        loudness[:, 1:-1] = self._spectra(windows)
        first = np.zeros((len(windows), _SPECTRA + 1, 128), np.float32)  # one in front
        first[:, 1:] = self._convolve("conv0", _neighbours(loudness, step=1)).reshape(-1, _SPECTRA, 128)
        second = self._convolve("conv1", _neighbours(first, step=2)).reshape(-1, 2 * 64)
        return self._convolve("conv3", self._convolve("conv2", second))

    def _spectra(self, windows: Floats) -> Floats:
        """Magnitudes, (lines, spectra, bins); the end of the window is mirrored, as in training."""
        lines, length = windows.shape
        padded = np.empty((lines, _PADDED), np.float32)
        padded[:, :length] = windows
        padded[:, length:] = windows[:, length - 2 : 2 * length - _PADDED - 2 : -1]
        row, sample = padded.strides
        pieces = as_strided(padded, (lines, _SPECTRA, _LENGTH), (row, _HOP * sample, sample))
        parts = pieces.reshape(-1, _LENGTH) @ self._weights["spectrum"]
        np.square(parts, out=parts)
        return np.sqrt(parts[:, :_BINS] + parts[:, _BINS:]).reshape(lines, _SPECTRA, _BINS)

    def _convolve(self, layer: str, rows: Floats) -> Floats:
        product: Floats = rows @ self._weights[layer]
        product += self._weights[f"{layer}_bias"]
        return np.maximum(product, 0, out=product)


def _neighbours(layer: Floats, step: int) -> Floats:
    """Each three steps in time that a convolution looks at, side by side: (lines * places, 3 * channels)."""
    lines, times, channels = layer.shape
    places = (times - 3) // step + 1
    line, time, channel = layer.strides
    return as_strided(layer, (lines, places, 3 * channels), (line, step * time, channel)).reshape(
        -1, 3 * channels
    )
