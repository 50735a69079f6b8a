import io
import random
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audio import mulaw
from app.audio.converter import Converter
from app.errors import ConfigError
from tests.audio.material import (
    FIXTURES,
    TAG_BYTES,
    convert,
    cut,
    fixture,
    lame,
    level_db,
    source_speech,
    tone,
)

MP3 = fixture("speech_44100_128.mp3")
LOW = fixture("speech_22050_32.mp3")
WAV = fixture("speech.wav")
ID3 = b"ID3\x04\x00\x00\x00\x00\x02\x00" + b"\xff\xfb\x90\xc4" * 64
JSON = b'{"detail":{"status":"quota_exceeded","message":"You have 0 credits remaining, 12 are required"}}'
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>"
FORMATS = ["mp3_44100_128", "pcm_24000", "ulaw_8000"]
PCM = tone(440, 24_000, 0.3).tobytes()

# Streams with everything that may happen to one; short, since each is cut many times, also byte by byte.
STREAMS = {
    "tagged": ("mp3_44100_128", MP3[:8_000]),
    "low rate": ("mp3_22050_32", LOW[:3_000]),
    "stereo": ("mp3_44100_128", fixture("speech_44100_stereo.mp3")[:4_000]),
    "index": ("mp3_44100_128", fixture("speech_vbr_xing.mp3")[:3_000]),
    "tag inside": ("mp3_44100_128", MP3[:3_000] + ID3 + MP3[3_000:6_000] + b"TAG" + bytes(125)),
    "garbage inside": ("mp3_44100_128", MP3[:3_000] + random.Random(1).randbytes(777) + MP3[3_000:8_000]),
    "lost bytes": ("mp3_22050_32", LOW[:1_000] + LOW[1_100:4_000]),
    "begun in the middle": ("mp3_44100_128", MP3[5_000:9_000]),
    "rate changed": ("mp3_44100_128", MP3[:2_000] + LOW[:2_000]),
    "json": ("pcm_24000", JSON * 3),
    "wav for pcm": ("pcm_24000", WAV[:9_000]),
    "mp3 for pcm": ("pcm_24000", MP3[TAG_BYTES:5_000]),
    "mp3 for mulaw": ("ulaw_8000", LOW[:2_000]),
    "pcm": ("pcm_24000", PCM[:-1]),
    "high pcm": ("pcm_44100", PCM[:8_001]),
    "mulaw": ("ulaw_8000", bytes(range(256)) * 3),
}


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(largest=st.sampled_from([2, 10, 100, 450, 3_000]), seed=st.integers())
def test_frames_are_identical_for_every_split(name: str, largest: int, seed: int) -> None:
    audio_format, stream = STREAMS[name]

    frames, report = convert(audio_format, b"", *cut(stream, largest, seed))
    at_once, reference = convert(audio_format, stream)

    assert frames == at_once
    reference.cpu_ms = report.cpu_ms
    assert report == reference


@pytest.mark.parametrize("name", STREAMS)
def test_frames_are_identical_one_byte_at_a_time(name: str) -> None:
    audio_format, stream = STREAMS[name]

    byte_by_byte, _ = convert(audio_format, b"", *[bytes([byte]) for byte in stream])

    assert byte_by_byte == convert(audio_format, stream)[0]


@settings(deadline=None)
@given(st.sampled_from(FORMATS), st.lists(st.one_of(st.binary(), st.text().map(str.encode)), max_size=30))
def test_no_bytes_make_it_raise(audio_format: str, pieces: list[bytes]) -> None:
    frames, report = convert(audio_format, b"", *pieces)

    assert len(frames) % 160 == 0
    assert (report.bytes_in, report.bytes_out) == (sum(map(len, pieces)), len(frames))


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_no_damage_makes_it_raise(data: st.DataObject) -> None:
    damaged = bytearray(LOW[:3_000])
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=20)):
        damaged[at] = data.draw(st.integers(0, 255))
    lost = data.draw(st.integers(0, len(damaged)))

    _, report = convert("mp3_22050_32", bytes(damaged[:lost] + damaged[lost + 10 :]))

    assert report.audio_ms <= 1_000


@pytest.mark.parametrize(
    ("audio_format", "mp3", "byte"), [("mp3_44100_128", MP3, 462), ("mp3_22050_32", LOW, 149)]
)
def test_the_first_frame_leaves_with_the_first_mp3_frame(audio_format: str, mp3: bytes, byte: int) -> None:
    converter = Converter(audio_format)

    assert converter.feed(mp3[: byte - 1]) == b""
    assert len(converter.feed(mp3[byte - 1 : byte])) == 160


@pytest.mark.parametrize("seconds", [0.5, 1.003, 1.333, 2.0])
@pytest.mark.parametrize(("rate", "kbit"), [(44_100, 128), (22_050, 32)])
def test_the_length_is_the_true_one_within_a_frame(rate: int, kbit: int, seconds: float) -> None:
    lead = np.zeros(rate // 10, np.int16)  # as vendors send it
    mp3 = lame(np.concatenate((lead, tone(440, rate, seconds))), rate, kbit)

    _, report = convert("mp3_x", mp3)

    encoder_padding_ms = 1_198 / rate * 1_000 if rate > 32_000 else 622 / rate * 1_000
    assert -20 < report.audio_ms - (seconds + 0.1) * 1_000 < 20 + encoder_padding_ms


def test_the_delay_is_trimmed_where_it_is_silence() -> None:
    lead_ms = 100
    sound = np.concatenate((np.zeros(44_100 * lead_ms // 1_000, np.int16), tone(440, 44_100)))
    pcm16 = mulaw.decode(convert("mp3_44100_128", lame(sound, 44_100, 128))[0])

    assert np.argmax(np.abs(pcm16.astype(np.int32)) > 3_000) == pytest.approx(8 * lead_ms, abs=8)


def test_the_tail_is_flushed_and_the_last_frame_filled_with_silence() -> None:
    frames, report = convert("pcm_16000", tone(440, 16_000, 0.33).tobytes())

    assert report.audio_ms == 340
    assert frames.endswith(b"\xff" * 80) and frames[-90:-80] != b"\xff" * 10


def test_mulaw_passes_untouched() -> None:
    codes = random.Random(1).randbytes(1_600)

    assert convert("ulaw_8000", codes)[0] == codes
    assert convert("ulaw_8000", codes[:100])[0] == codes[:100] + b"\xff" * 60


@pytest.mark.parametrize("rate", [44_100, 22_050])
def test_a_tone_keeps_the_level_that_the_encoder_gave_it(rate: int) -> None:
    mp3 = lame(tone(1_000, rate), rate, 64)
    with av.open(io.BytesIO(mp3), "r") as container:
        decoded = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])

    heard = mulaw.decode(convert("mp3_x", mp3)[0])

    expected = level_db(decoded[rate // 4 : rate // 2], 1)
    assert level_db(heard[2_000:4_000], 32_768) == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("hz", [4_600, 5_200, 6_700, 9_000])
def test_a_tone_above_the_telephone_band_is_not_heard(hz: int) -> None:
    pcm16 = mulaw.decode(convert("mp3_x", lame(tone(hz, 44_100), 44_100, 128))[0])

    assert level_db(pcm16[1_000:-1_000], 16_384) < -60


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("body", [JSON, HTML, b'{"error":"x"}', b"Bad Gateway: no healthy upstream", b""])
def test_an_error_body_is_never_audio(audio_format: str, body: bytes) -> None:
    frames, report = convert(audio_format, body[:5], body[5:])

    assert frames == b""
    assert report.skipped_bytes == len(body)


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("name", ["speech.wav", "speech_22050_32.mp3", "speech_44100_stereo.mp3"])
def test_another_format_than_asked_for_is_heard_for_what_it_is(audio_format: str, name: str) -> None:
    content = fixture(name)

    frames, report = convert(audio_format, *cut(content, 5_000, seed=2))

    assert frames == convert("mp3_44100_128", content)[0]
    assert report.content == ("wav" if name.endswith("wav") else "mp3")
    assert report.audio_ms == pytest.approx(8_336, abs=75)


def test_garbage_in_the_middle_is_short_silence_and_then_the_same_speech() -> None:
    clean, _ = convert("mp3_44100_128", MP3)
    frames, report = convert("mp3_44100_128", MP3[:70_000] + JSON * 20 + MP3[70_000:])

    assert report.skipped_bytes >= len(JSON) * 20
    assert 0 < report.concealed_ms < 150
    assert abs(len(frames) - len(clean)) <= 160
    assert frames[-20_000:-400] in clean


def test_a_finished_converter_gives_nothing_more() -> None:
    converter = Converter("ulaw_8000")
    converter.feed(b"x" * 170)

    assert len(converter.finish()) == 160
    assert converter.feed(b"x" * 320) + converter.finish() == b""
    assert converter.report.bytes_in == 170


def test_the_report_counts_what_the_log_will_say() -> None:
    frames, report = convert("mp3_44100_128", MP3)

    assert (report.bytes_in, report.bytes_out, report.tag_bytes) == (len(MP3), len(frames), TAG_BYTES)
    assert (report.skipped_bytes, report.dropped_frames, report.concealed_ms) == (0, 0, 0)
    assert report.cpu_ms > 0


@pytest.mark.parametrize(
    "name", ["opus_48000_64", "alaw_8000", "ulaw_16000", "pcm_", "pcm_100", "pcm_999999", "mp3", ""]
)
def test_an_unknown_format_is_refused_at_once(name: str) -> None:
    with pytest.raises(ConfigError, match="not a format we can convert"):
        Converter(name)


@pytest.mark.parametrize("name", ["mp3_44100_192", "mp3_24000_48", "pcm_8000", "pcm_48000", "ulaw_8000"])
def test_the_formats_of_the_vendors_are_known(name: str) -> None:
    assert Converter(name).report.audio_format == name


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_a_hundred_streams_at_once_start_no_threads_and_do_not_mix() -> None:
    alone, _ = convert("mp3_44100_128", MP3[:6_000])
    before = len(list(Path("/proc/self/task").iterdir()))

    converters = [Converter("mp3_44100_128") for _ in range(100)]
    heard = [b""] * 100
    for piece in cut(MP3[:6_000], 2_000, seed=1):
        heard = [so_far + one.feed(piece) for so_far, one in zip(heard, converters, strict=True)]

    assert len(list(Path("/proc/self/task").iterdir())) == before
    assert {so_far + one.finish() for so_far, one in zip(heard, converters, strict=True)} == {alone}


def test_the_fixtures_are_the_speech_they_claim_to_be() -> None:
    speech, rate = source_speech()

    assert len(speech) / rate == pytest.approx(8.336, abs=0.001)
    assert sum(path.stat().st_size for path in FIXTURES.iterdir()) < 1_000_000
