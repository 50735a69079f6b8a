import math
import warnings

import numpy as np
import pytest

from app.audio import mulaw

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

SAMPLES = np.arange(-32_768, 32_768, dtype=np.int32)
CODES = bytes(range(256))


def test_decoding_is_g711_bit_for_bit() -> None:
    assert mulaw.decode(CODES).astype("<i2").tobytes() == audioop.ulaw2lin(CODES, 2)


def test_every_sample_is_sent_as_the_nearest_code() -> None:
    heard = mulaw.decode(mulaw.encode(SAMPLES.astype(np.int16))).astype(np.int32)
    levels = np.unique(mulaw.decode(CODES)).astype(np.int32)
    nearest = np.abs(SAMPLES[:, None] - levels[None, :]).min(axis=1)

    assert np.array_equal(np.abs(heard - SAMPLES), nearest)


def test_encoding_is_within_one_code_of_the_usual_encoder() -> None:
    usual = np.frombuffer(audioop.lin2ulaw(SAMPLES.astype("<i2").tobytes(), 2), np.uint8).astype(np.int32)
    ours = np.frombuffer(mulaw.encode(SAMPLES.astype(np.int16)), np.uint8).astype(np.int32)

    assert np.abs(usual - ours).max() <= 1


def test_codes_survive_decoding_and_encoding() -> None:
    again = mulaw.encode(mulaw.decode(CODES))

    assert again == CODES.replace(b"\x7f", b"\xff")  # the two zeros become the one that is silence


def test_silence_is_0xff() -> None:
    assert mulaw.encode(np.zeros(3, np.int16)) == b"\xff\xff\xff"


def test_a_view_into_other_samples_is_encoded_as_it_stands() -> None:
    samples = np.array([0, 1000, 2000, -1000], np.int16)

    assert mulaw.encode(samples[1:3]) == mulaw.encode(samples)[1:3]


@pytest.mark.parametrize(
    ("mulaw_bytes", "level"),
    [(b"\x80" * 160, -0.17), (b"\x00\x80" * 80, -0.17), (b"\xff" * 160, -math.inf), (b"", -math.inf)],
)
def test_the_level_is_root_mean_square_against_full_scale(mulaw_bytes: bytes, level: float) -> None:
    assert mulaw.level_dbfs(mulaw_bytes) == pytest.approx(level, abs=0.01)
