"""What a caller says."""

import wave
from pathlib import Path

import numpy as np
import pytest

from app.errors import ConfigError
from app.simulator import voice
from app.simulator.recording import voiced_ms

FIXTURES = Path(__file__).parents[2] / "fixtures" / "audio"


async def test_the_embedded_voice_says_a_text_in_whole_frames() -> None:
    mulaw = await voice.spoken("Good morning, is anybody there?")

    assert len(mulaw) % 160 == 0
    assert 800 < voiced_ms(mulaw) < 5000


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44_100, 2), (16_000, 1)])
def test_a_wav_file_of_any_rate_becomes_mulaw_of_its_length(tmp_path: Path, rate: int, channels: int) -> None:
    tone = (np.sin(np.arange(rate // 2) * 2 * np.pi * 440 / rate) * 8000).astype("<i2")
    with wave.open(str(tmp_path / "in.wav"), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(np.repeat(tone, channels).tobytes())

    mulaw = voice.from_file(tmp_path / "in.wav")

    assert abs(len(mulaw) - 4000) <= 160
    assert voiced_ms(mulaw) >= 460


def test_a_file_that_is_no_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_text("not audio")

    with pytest.raises(ConfigError, match=r"in\.wav"):
        voice.from_file(tmp_path / "in.wav")


@pytest.mark.parametrize("name", ["speech.wav", "speech_44100_128.mp3"])
def test_what_play_fetches_may_be_wav_or_mp3(name: str) -> None:
    assert voiced_ms(voice.downloaded((FIXTURES / name).read_bytes())) > 1000


@pytest.mark.parametrize("audio", [b"", b"<html>not found</html>"])
def test_what_play_fetches_must_be_audio(audio: bytes) -> None:
    with pytest.raises(ConfigError, match="no audio"):
        voice.downloaded(audio)
