"""What was heard, kept and judged."""

import wave
from pathlib import Path

import numpy as np
import pytest

from app.audio import mulaw
from app.simulator.recording import (
    Recording,
    onset_ms,
    stretches,
    voiced_level_dbfs,
    voiced_ms,
    write_wav,
)


def tone(level_dbfs: float, ms: int) -> bytes:
    """A sine of that level, root mean square."""
    peak = 32768 * 10 ** (level_dbfs / 20) * np.sqrt(2)
    return mulaw.encode((np.sin(np.arange(ms * 8) * 0.7) * peak).astype(np.int16))


def test_all_is_kept_in_order() -> None:
    recording = Recording()

    recording.add(b"\x01" * 160)
    recording.add(b"\x02" * 160)

    assert recording.mulaw == b"\x01" * 160 + b"\x02" * 160


def test_a_short_memory_keeps_the_beginning() -> None:
    recording = Recording(keep_s=0.04)

    for number in range(5):
        recording.add(bytes([number]) * 160)

    assert recording.mulaw == b"\x00" * 160 + b"\x01" * 160


def test_the_wav_file_has_the_same_samples(tmp_path: Path) -> None:
    heard = tone(-10, 100)

    write_wav(tmp_path / "heard.wav", heard)

    with wave.open(str(tmp_path / "heard.wav")) as wav:
        assert (wav.getframerate(), wav.getsampwidth(), wav.getnchannels()) == (8000, 2, 1)
        assert np.array_equal(np.frombuffer(wav.readframes(9999), "<i2"), mulaw.decode(heard))


@pytest.mark.parametrize(("level_dbfs", "expected"), [(-10, 100), (-45, 100), (-55, 0)])
def test_voice_is_what_is_louder_than_a_quiet_line(level_dbfs: float, expected: int) -> None:
    silence = b"\xff" * 800

    assert voiced_ms(silence + tone(level_dbfs, 100) + silence) == expected


def test_the_level_is_that_of_the_voice_without_the_silence() -> None:
    assert voiced_level_dbfs(tone(-20, 200) + b"\xff" * 8000) == pytest.approx(-20, abs=0.3)


def test_the_first_sound_is_found() -> None:
    assert onset_ms(b"\xff" * 480 + tone(-20, 100)) == 60
    assert onset_ms(b"\xff" * 480) == onset_ms(b"") == 0


def test_stretches_of_voice_are_told_from_the_pauses_between_them() -> None:
    heard = tone(-20, 100) + b"\xff" * 800 + tone(-20, 40) + b"\xff" * 1600 + tone(-20, 20)

    assert stretches(heard, pause_ms=200) == [(0, 1920), (3520, 3680)]
    assert stretches(b"\xff" * 800, pause_ms=200) == []


@pytest.mark.parametrize("heard", [b"", b"\xff", b"\xff" * 1600])
def test_silence_has_no_voice_and_no_level(heard: bytes) -> None:
    assert voiced_ms(heard) == 0
    assert voiced_level_dbfs(heard) is None


def test_time_without_a_stream_is_silence_in_whole_frames() -> None:
    recording = Recording()
    assert recording.come_back(1.0) == 0  # nothing was left
    recording.add(b"\x01" * 160)
    recording.leave(10.0)

    assert recording.come_back(10.045) == 40
    assert recording.come_back(99.0) == 0
    assert recording.mulaw == b"\x01" * 160 + b"\xff" * 320
    assert recording.silences.gaps_ms == [40]
