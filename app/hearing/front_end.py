"""Telephone audio to the features that the recogniser's model knows: wideband cepstra from an 8 kHz line.

The model was trained on 16 kHz speech and misses what a line cuts off. A small network, taught on pairs of
the two, guesses a frame's wideband cepstra from the narrow band around it, and takes some noise away on the
way. It keeps no state but the last few frames. Weights: `fixtures/make_frontend.py`.
"""

from importlib import resources
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE: Final = 8000
WINDOW: Final = 205  # samples: 25.6 ms, as the model's own front end
HOP: Final = 80  # samples: 10 ms
CONTEXT: Final = 5  # frames either side that the network sees: it is 50 ms late
BANDS: Final = 22
CEPSTRA: Final = 13

_FFT = 256
_LOW_HZ, _HIGH_HZ = 230.0, 3550.0  # a line passes 300..3400, with slopes
_EMPHASIS = 0.97
_FLOOR = 300.0  # of a band's power: about what the finest steps of mu-law add, silence being without any
_SCALE = np.float32(4.0)  # brings log powers, their mean removed, to about -1..1


def band_filters(fft: int, rate: float, bands: int, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Triangles of equal area on the mel scale, their corners on the bins: (fft // 2 + 1, bands)."""
    mel = np.linspace(2595 * np.log10(1 + low_hz / 700), 2595 * np.log10(1 + high_hz / 700), bands + 2)
    step = rate / fft
    corners = np.floor(700 * (10 ** (mel / 2595) - 1) / step + 0.5) * step
    bins = np.arange(fft // 2 + 1)[:, None] * step
    low, centre, high = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.maximum(np.minimum(rising, falling), 0.0) * 2 / (high - low)


def log_bands(emphasised: NDArray[np.float64]) -> Floats:
    """Log powers of every whole window, before anything is learned: (frames, BANDS)."""
    if len(emphasised) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    windows = sliding_window_view(emphasised, WINDOW)[::HOP] * _HAMMING
    power = np.square(np.abs(np.fft.rfft(windows, _FFT)))
    return np.log(np.maximum(power @ _FILTERS, _FLOOR)).astype(np.float32)


def emphasise(pcm16: NDArray[np.int16], before: float) -> NDArray[np.float64]:
    """Lift the high frequencies; `before` is the sample that came before these."""
    samples = pcm16.astype(np.float64)
    return samples - _EMPHASIS * np.concatenate(([before], samples[:-1]))


class Network:
    """The weights; without state, one serves all callers."""

    def __init__(self) -> None:
        source = resources.files("app.hearing") / "data" / "frontend.npz"
        with source.open("rb") as file, np.load(file) as stored:
            self._layers = [
                (stored[f"w{layer}"].astype(np.float32), stored[f"b{layer}"].astype(np.float32))
                for layer in range(3)
            ]
            self.mean: Floats = stored["mean"].astype(np.float32)  # of speech at -20 dBFS over many voices

    def __call__(self, bands: Floats) -> Floats:
        """Cepstra of the frames in the middle: (frames + 2 * CONTEXT, BANDS) in, (frames, CEPSTRA) out."""
        frames = len(bands) - 2 * CONTEXT
        seen = sliding_window_view(bands, 2 * CONTEXT + 1, axis=0).transpose(0, 2, 1).reshape(frames, -1)
        level = seen.mean(axis=1, keepdims=True)
        value = (seen - level) / _SCALE
        for weights, bias in self._layers[:-1]:
            value = np.maximum(value @ weights + bias, 0)
        weights, bias = self._layers[-1]
        cepstra: Floats = value @ weights + bias
        cepstra[:, 0] += 5 * level[:, 0]  # 25 bands, orthonormal: a gain shows in the first cepstrum only
        return cepstra


class FrontEnd:
    """One utterance: audio in pieces of any size in, the same cepstra out for every cutting."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._before: float | None = None
        self._samples = np.zeros(0)
        self._bands = np.zeros((0, BANDS), np.float32)

    def feed(self, pcm16: NDArray[np.int16]) -> Floats:
        """Take samples; returns the frames that are now certain, possibly none."""
        if not len(pcm16):
            return np.zeros((0, CEPSTRA), np.float32)
        before = float(pcm16[0]) if self._before is None else self._before
        self._before = float(pcm16[-1])
        self._samples = np.concatenate((self._samples, emphasise(pcm16, before)))
        fresh = log_bands(self._samples)
        self._samples = self._samples[len(fresh) * HOP :]
        return self._through(fresh)

    def finish(self) -> Floats:
        """The last frames, which saw no sound after them."""
        if not len(self._bands):
            return np.zeros((0, CEPSTRA), np.float32)
        return self._through(np.repeat(self._bands[-1:], CONTEXT, axis=0))

    def _through(self, fresh: Floats) -> Floats:
        if not len(self._bands) and len(fresh):
            fresh = np.concatenate((np.repeat(fresh[:1], CONTEXT, axis=0), fresh))
        self._bands = np.concatenate((self._bands, fresh))
        if len(self._bands) <= 2 * CONTEXT:
            return np.zeros((0, CEPSTRA), np.float32)
        cepstra = self._network(self._bands)
        self._bands = self._bands[len(cepstra) :]
        return cepstra


_HAMMING = np.hamming(WINDOW)
_FILTERS = band_filters(_FFT, RATE, BANDS, _LOW_HZ, _HIGH_HZ)
