import random

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.audio.mp3 import Decoded, Mp3Decoder
from app.audio.mp3_frames import Frame, Mp3Frames
from tests.audio.material import FIXTURES, TAG_BYTES, cut, fixture, lame, tone

MP3 = fixture("speech_44100_128.mp3")


def decode(*pieces: bytes) -> tuple[list[Decoded], Mp3Decoder]:
    decoder = Mp3Decoder()
    decoded = [one for piece in pieces for one in decoder.feed(piece)]
    return decoded + list(decoder.finish()), decoder


def samples(decoded: list[Decoded]) -> NDArray[np.float32]:
    return np.concatenate([one.samples.to_ndarray() for one in decoded], axis=1)


def loudness(decoded: list[Decoded]) -> NDArray[np.float64]:
    return np.array([float(np.sqrt(np.mean(np.square(one.samples.to_ndarray())))) for one in decoded])


@pytest.mark.parametrize("name", ["speech_44100_128", "speech_22050_32", "speech_44100_stereo"])
def test_pieces_decode_to_what_the_whole_file_does(name: str) -> None:
    with av.open(str(FIXTURES / f"{name}.mp3")) as container:
        reference = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)

    decoded, decoder = decode(*cut(fixture(f"{name}.mp3"), 3_000, seed=1))

    assert np.array_equal(samples(decoded), reference)
    assert decoder.dropped_frames == 0


def test_variable_bit_rate_behind_an_index_loses_nothing() -> None:
    decoded, decoder = decode(fixture("speech_vbr_xing.mp3"))

    assert (len(decoded), decoder.dropped_frames, decoder.skipped_bytes) == (321, 0, 0)


@pytest.mark.parametrize(
    ("rate", "kbit"), [(8_000, 16), (16_000, 32), (24_000, 64), (32_000, 64), (48_000, 320)]
)
def test_every_version_and_rate_decodes_whole(rate: int, kbit: int) -> None:
    decoded, decoder = decode(lame(tone(440, rate), rate, kbit))

    assert {one.header.rate for one in decoded} == {one.samples.sample_rate for one in decoded} == {rate}
    assert decoder.dropped_frames == 0
    assert np.abs(samples(decoded)).max() == pytest.approx(0.5, abs=0.05)


def test_a_change_of_rate_in_mid_stream_decodes_whole() -> None:
    decoded, decoder = decode(MP3 + fixture("speech_22050_32.mp3"))

    assert [one.samples.sample_rate for one in decoded] == [44_100] * 321 + [22_050] * 322
    assert decoder.dropped_frames == 0


def test_lost_bytes_are_a_few_silent_frames_and_the_rest_is_exact() -> None:
    clean, _ = decode(MP3)
    decoded, decoder = decode(MP3[:60_000] + MP3[60_100:])

    silent = [at for at, one in enumerate(decoded) if one.silent]
    assert len(decoded) == len(clean)
    assert 1 <= len(silent) == decoder.dropped_frames <= 4
    after = silent[-1] + 2  # the first frame after silence fades in from it
    assert np.array_equal(samples(decoded[: silent[0]]), samples(clean[: silent[0]]))
    assert np.array_equal(samples(decoded[after:]), samples(clean[after:]))


@pytest.mark.parametrize(
    "name", ["speech_44100_128", "speech_22050_32", "speech_44100_stereo", "speech_vbr_xing"]
)
def test_after_any_lost_frame_speech_is_back_within_eight_frames_and_exact(name: str) -> None:
    frames = [one.mp3 for one in Mp3Frames().feed(fixture(f"{name}.mp3")) if isinstance(one, Frame)]
    clean = samples(decode(*frames)[0])

    for lost in range(10, len(frames) - 40, 23):
        decoded, decoder = decode(*frames[:lost], bytes(50), *frames[lost + 1 :])
        last = max(at for at, one in enumerate(decoded) if one.silent)
        rest = samples(decoded[last + 3 :])  # the frames before this still fade in
        assert decoder.dropped_frames <= 8
        assert last <= lost + 8
        assert np.array_equal(rest, clean[:, -rest.shape[1] :])


def test_a_stream_that_begins_in_its_middle_is_silent_until_its_data_is_there() -> None:
    decoded, decoder = decode(MP3[50_000:])

    assert decoder.skipped_bytes < 418
    assert [one.silent for one in decoded].index(False) == decoder.dropped_frames < 4


def test_frames_without_their_reservoir_are_silent_though_no_byte_seems_lost() -> None:
    start = MP3.index(b"\xff\xfb", TAG_BYTES + 417 * 100)
    decoded, decoder = decode(MP3[TAG_BYTES : TAG_BYTES + 417] + MP3[start : start + 4_000])

    assert [one.silent for one in decoded[:2]] == [False, True]
    assert decoder.skipped_bytes < 418


@pytest.mark.parametrize("name", ["speech_44100_128.mp3", "speech_22050_32.mp3"])
@pytest.mark.parametrize("kind", ["deleted", "inserted", "overwritten"])
def test_damage_never_comes_out_louder_than_a_voice(name: str, kind: str) -> None:
    mp3, chance = fixture(name)[:30_000], random.Random(3)
    loudest = loudness(decode(mp3)[0]).max()

    for _ in range(40):
        at, size = chance.randrange(500, len(mp3)), chance.choice((1, 3, 50, 400, 1_500))
        noise = b"" if kind == "deleted" else chance.randbytes(size)
        rest = mp3[at if kind == "inserted" else at + size :]
        decoded, _ = decode(mp3[:at] + noise + rest)
        assert loudness(decoded).max() < 2 * loudest


def test_a_frame_far_beyond_full_scale_is_silence() -> None:
    broken = bytearray(MP3)
    at = TAG_BYTES
    for _ in range(3):  # the gain of every granule in three frames, at its highest: +190 dB
        at = broken.index(b"\xff\xfb", at + 417 * 20)
        side = int.from_bytes(broken[at + 4 : at + 21])
        side |= 0xFF << (59 * 1 + 59 - 29) | 0xFF << (59 - 29)
        broken[at + 4 : at + 21] = side.to_bytes(17)

    decoded, decoder = decode(bytes(broken))

    assert decoder.dropped_frames >= 3
    assert np.abs(samples(decoded)).max() <= 2


def test_garbage_decodes_to_nothing() -> None:
    decoded, decoder = decode(random.Random(2).randbytes(60_000))

    assert decoded == []
    assert decoder.skipped_bytes == 60_000
