"""Audio for the tests of this room: the kept fixtures, and encodings made on the spot."""

import random
import wave
from pathlib import Path
from typing import Any

import lameenc
import numpy as np
from numpy.typing import NDArray

from app.audio.converter import Converter
from app.audio.report import Report

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "audio"
TAG_BYTES = 45  # of the ID3v2 tag in front of the constant-rate fixtures


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def source_speech() -> tuple[NDArray[np.int16], int]:
    with wave.open(str(FIXTURES / "speech.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()


def tone(hz: float, rate: int, seconds: float = 1.0, level: float = 0.5) -> NDArray[np.int16]:
    time_s = np.arange(int(rate * seconds)) / rate
    return np.rint(np.sin(2 * np.pi * hz * time_s) * level * 32_767).astype(np.int16)


def lame(pcm16: NDArray[np.int16], rate: int, kbit: int, channels: int = 1) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    encoder.set_channels(channels)
    encoder.set_bit_rate(kbit)
    encoder.set_quality(7)
    return bytes(encoder.encode(pcm16.tobytes())) + bytes(encoder.flush())


def convert(audio_format: str, content: bytes, *pieces: bytes) -> tuple[bytes, Report]:
    """All frames of a stream fed in these pieces, and the report."""
    converter = Converter(audio_format)
    frames = b"".join([converter.feed(piece) for piece in (content, *pieces)] + [converter.finish()])
    return frames, converter.report


def cut(content: bytes, largest: int, seed: int) -> list[bytes]:
    chance, pieces, at = random.Random(seed), [], 0
    while at < len(content):
        size = chance.randint(1, largest)
        pieces.append(content[at : at + size])
        at += size
    return pieces


def level_db(samples: NDArray[Any], reference: float) -> float:
    """Root mean square against that of `reference`, a peak of a sine."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return 10 * float(np.log10(max(power, 1e-9) / (reference**2 / 2)))
