"""The kinds of bytes, each by itself; what they have in common is in `test_converter.py`."""

import struct

import numpy as np
import pytest

from app.audio import mulaw
from app.audio.report import Report
from app.audio.source import Mp3Source, MulawSource, NoSource, PcmSource, Source, WavSource
from tests.audio.material import TAG_BYTES, fixture, level_db, tone


def heard(source: Source, *pieces: bytes) -> bytes:
    return b"".join([source.feed(piece) for piece in pieces]) + source.finish()


def wav(samples: bytes, tag: int, channels: int, rate: int, bits: int) -> bytes:
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits)
    data = b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + head + data


def test_pcm_at_8000_hz_is_only_encoded() -> None:
    pcm16 = tone(440, 8_000)

    assert heard(PcmSource(Report(""), 8_000), pcm16.tobytes()) == mulaw.encode(pcm16)


def test_an_odd_byte_is_carried_to_the_next_piece_and_dropped_at_the_end() -> None:
    report, pcm16 = Report(""), tone(440, 8_000, 0.5).tobytes()

    assert heard(PcmSource(report, 8_000), pcm16[:7], pcm16[7:] + b"x") == mulaw.encode(tone(440, 8_000, 0.5))
    assert report.skipped_bytes == 1


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_pcm_of_any_rate_keeps_its_length_and_level(rate: int) -> None:
    mulaw_out = heard(PcmSource(Report(""), rate), tone(1_000, rate).tobytes())

    assert len(mulaw_out) == 8_000
    assert level_db(mulaw.decode(mulaw_out), 16_384) == pytest.approx(0, abs=0.1)


def test_what_comes_of_10_ms_is_heard_at_once() -> None:
    source = PcmSource(Report(""), 44_100)

    assert source.feed(tone(440, 44_100).tobytes()[: 441 * 2 - 1]) == b""
    assert len(source.feed(b"\0")) > 50


def test_mulaw_is_untouched() -> None:
    assert heard(MulawSource(), bytes(range(256)), b"") == bytes(range(256))


def test_text_is_skipped() -> None:
    report = Report("")

    assert heard(NoSource(report), b'{"detail":', b'"none"}') == b""
    assert report.skipped_bytes == 17


def test_a_wav_file_is_heard_by_its_own_format() -> None:
    report, pcm16 = Report(""), tone(440, 16_000)
    from_wav = heard(WavSource(report), wav(pcm16.tobytes(), 1, 1, 16_000, 16))

    assert from_wav == heard(PcmSource(Report(""), 16_000), pcm16.tobytes())
    assert report.tag_bytes == 44


def test_stereo_wav_is_mixed() -> None:
    both = np.stack([tone(440, 8_000), tone(440, 8_000) * 0], axis=1)

    mixed = mulaw.decode(heard(WavSource(Report("")), wav(both.tobytes(), 1, 2, 8_000, 16)))

    assert level_db(mixed, 8_192) == pytest.approx(0, abs=0.1)


def test_mulaw_wav_is_untouched_at_8000_hz_and_resampled_otherwise() -> None:
    codes = mulaw.encode(tone(440, 8_000))

    assert heard(WavSource(Report("")), wav(codes, 7, 1, 8_000, 8)) == codes
    assert len(heard(WavSource(Report("")), wav(codes, 7, 1, 16_000, 8))) == 4_000


def test_half_a_pair_of_mulaw_is_one_byte_that_is_not_heard() -> None:
    report = Report("")
    heard(WavSource(report), wav(mulaw.encode(tone(440, 8_000)) + b"x", 7, 2, 8_000, 8))

    assert report.skipped_bytes == 1


def test_a_wav_file_of_another_kind_is_not_heard() -> None:
    report = Report("")

    assert heard(WavSource(report), wav(bytes(900), 3, 1, 8_000, 32)) == b""
    assert report.tag_bytes == 944


def test_a_change_of_rate_or_channels_is_counted_and_heard_without_a_break() -> None:
    report, mp3 = Report(""), Mp3Source
    names = ["speech_44100_128.mp3", "speech_22050_32.mp3", "speech_44100_stereo.mp3"]
    streams = [fixture(name) for name in names]
    apart = sum(len(heard(mp3(Report("")), stream)) for stream in streams)

    together = len(heard(mp3(report), *streams))

    assert report.format_changes == 2
    assert report.dropped_frames == 0
    assert together - apart == pytest.approx(8 * (50 + 25), abs=8 * 75)  # only the first delay is trimmed


def test_silence_for_lost_frames_is_counted_in_media_time() -> None:
    report, mp3 = Report(""), fixture("speech_44100_128.mp3")
    heard(Mp3Source(report), mp3[:40_000] + mp3[40_050:])

    assert report.concealed_ms == pytest.approx(report.dropped_frames * 26.12, abs=0.1)
    assert report.dropped_frames > 0


def test_a_stream_of_which_nothing_decodes_is_not_even_silence() -> None:
    report = Report("")

    assert heard(Mp3Source(report), fixture("speech_44100_128.mp3")[TAG_BYTES + 500 : TAG_BYTES + 900]) == b""
    assert report.concealed_ms == 0
