import contextlib
import socket
import subprocess
import sys
import threading
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from app.audio import mulaw
from app.audio.prompt import load_prompt
from app.errors import ConfigError
from tests.audio.material import FIXTURES, level_db, tone


def write(path: Path, codec: str, rate: int, layout: str) -> Path:
    """A second of a 440 Hz tone in any container that the library can write."""
    channels = 1 if layout == "mono" else 2
    samples = tone(440, rate).repeat(channels)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp" if codec == "aac" else "s16", layout=layout, rate=rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.flac", "flac", 44_100, "stereo"),
        ("a.m4a", "aac", 48_000, "mono"),
        ("a.wav", "pcm_s24le", 48_000, "stereo"),
        ("a.wav", "pcm_mulaw", 8_000, "mono"),
        ("a.wav", "pcm_u8", 11_025, "mono"),
        ("a.aiff", "pcm_s16be", 22_050, "mono"),
    ],
)
def test_a_prompt_of_any_format_becomes_frames(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str
) -> None:
    frames = load_prompt(write(tmp_path / name, codec, rate, layout))

    assert len(frames) % 160 == 0
    assert 8_000 <= len(frames) <= 8_480  # AAC's own padding included
    assert level_db(mulaw.decode(frames)[800:7_200], 16_384) == pytest.approx(0, abs=0.6)


@pytest.mark.parametrize("name", ["speech.wav", "speech_44100_128.mp3", "speech_vbr_xing.mp3"])
def test_the_same_speech_in_another_format_is_as_long(name: str) -> None:
    assert len(load_prompt(FIXTURES / name)) / 8 == pytest.approx(8_336, abs=75)


def test_nothing_is_started_and_nothing_is_warned_of_without_ffmpeg() -> None:
    script = "import sys; from app.audio.prompt import load_prompt; print(len(load_prompt(sys.argv[1])))"
    command = [sys.executable, "-W", "error", "-c", script, str(FIXTURES / "speech.wav")]
    ran = subprocess.run(command, env={"PATH": "/nowhere"}, capture_output=True, text=True)

    assert (ran.stdout, ran.stderr) == ("66720\n", "")


def test_a_missing_file_is_the_operators_fault_and_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"greeting\.wav is not a file; give the path"):
        load_prompt(tmp_path / "greeting.wav")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>" * 50, bytes(5_000)])
def test_a_file_that_is_no_audio_is_named_with_a_cure(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hold.mp3"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"hold\.mp3 .*(convert it to WAV|record it again)"):
        load_prompt(path)


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        out.writeframes(np.empty(0, np.int16).tobytes())

    with pytest.raises(ConfigError, match=r"empty\.wav"):
        load_prompt(path)


def test_threat_11_a_playlist_makes_nobody_ask_for_what_it_names(tmp_path: Path) -> None:
    knocked: list[object] = []

    def answer() -> None:
        with contextlib.suppress(OSError):  # at the end
            while True:
                caller, address = listener.accept()
                knocked.append(address)
                caller.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        named = f"http://127.0.0.1:{listener.getsockname()[1]}/a.ts"
        playlist = tmp_path / "hold.m3u8"
        playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{named}\n#EXT-X-ENDLIST\n")
        with pytest.raises(ConfigError, match="cannot be read as audio"):
            load_prompt(playlist)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()

    assert knocked == []


@pytest.mark.parametrize(
    "url", ["https://example.com/hold.mp3", "http://127.0.0.1/hold.mp3", "file:///etc/passwd"]
)
def test_threat_11_an_address_is_no_audio_file(url: str) -> None:
    with pytest.raises(ConfigError, match="is not a file"):
        load_prompt(url)


@pytest.mark.parametrize("rate", [50, 2_000_000_000])
def test_a_file_that_claims_a_rate_of_no_sound_is_refused(tmp_path: Path, rate: int) -> None:
    with wave.open(str(path := tmp_path / "slow.wav"), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(bytes(1_000))

    with pytest.raises(ConfigError, match=f"{rate} samples a second"):
        load_prompt(path)
