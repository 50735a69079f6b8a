"""How speech sounds after the converter, by PESQ (narrow band) against the clean source."""

import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from app.audio import mulaw
from tests.audio.material import convert, fixture, source_speech

Score = Callable[[NDArray[np.int16]], float]


@pytest.fixture(scope="module")
def score() -> Score:
    pesq = pytest.importorskip(
        "pesq", reason="pesq is not installed (needs a C compiler): pip install -r requirements-quality.lock"
    ).pesq
    clean = reference()

    def scored(pcm16: NDArray[np.int16]) -> float:
        lag = delay(pcm16, clean)
        heard, said = pcm16[max(lag, 0) :], clean[max(-lag, 0) :]
        length = min(len(heard), len(said))
        return float(pesq(8_000, said[:length], heard[:length], "nb"))

    return scored


def reference() -> NDArray[np.int16]:
    """The source at 8 kHz, by an ideal low-pass over the whole of it: no filter of ours."""
    speech, rate = source_speech()
    length = round(len(speech) * 8_000 / rate)
    spectrum = np.fft.rfft(speech.astype(np.float64))[: length // 2 + 1]
    resampled = np.fft.irfft(spectrum, length) * length / len(speech)
    return np.clip(np.rint(resampled), -32_768, 32_767).astype(np.int16)


def delay(heard: NDArray[np.int16], said: NDArray[np.int16]) -> int:
    size = 1 << (len(heard) + len(said)).bit_length()
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    lag = int(np.argmax(np.fft.irfft(product, size)))
    return lag - size if lag > size // 2 else lag


def test_speech_of_the_default_format_scores_as_a_clean_telephone_line(score: Score) -> None:
    assert score(mulaw.decode(convert("mp3_44100_128", fixture("speech_44100_128.mp3"))[0])) >= 3.9


@pytest.mark.parametrize("name", ["44100_128", "22050_32", "44100_stereo", "vbr_xing"])
def test_speech_scores_no_lower_than_what_ffmpeg_makes_of_the_whole_file(score: Score, name: str) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed: nothing to compare with (apt-get install ffmpeg)")
    mp3 = fixture(f"speech_{name}.mp3")
    command = ["ffmpeg", "-v", "quiet", "-i", "-", "-ar", "8000", "-ac", "1", "-f", "mulaw", "-"]
    whole = subprocess.run(command, input=mp3, capture_output=True, check=True).stdout

    ours = score(mulaw.decode(convert("mp3_44100_128", mp3)[0]))

    assert ours >= score(mulaw.decode(whole)) - 0.05


def test_the_spectrum_of_speech_stays_where_it_was() -> None:
    """A coarse guard that needs no package: the clean source and what is heard, band by band."""
    clean = reference()
    heard = mulaw.decode(convert("mp3_44100_128", fixture("speech_44100_128.mp3"))[0])

    def bands(pcm16: NDArray[np.int16]) -> NDArray[np.float64]:
        power = np.square(np.abs(np.fft.rfft(pcm16.astype(np.float64), 1 << 17)))
        edges = (np.array([300, 700, 1_200, 1_900, 2_600, 3_400]) * (1 << 17) / 8_000).astype(int)
        return np.array([10 * np.log10(power[low:high].sum()) for low, high in pairwise(edges)])

    assert np.abs(bands(heard) - bands(clean)).max() < 0.5
