import argparse
import json
import wave
from pathlib import Path

import pytest

from app.audio import mulaw
from app.audio.converter import Converter
from app.cli import convert

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "audio"
MP3 = FIXTURES / "speech_44100_128.mp3"


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    convert.register(parser.add_subparsers())
    args = parser.parse_args(["convert", *map(str, words)])
    code = args.run(args)
    assert isinstance(code, int)
    return code


def frames_of(path: Path, audio_format: str = "mp3_44100_128") -> bytes:
    converter = Converter(audio_format)
    return converter.feed(path.read_bytes()) + converter.finish()


def test_the_wav_holds_what_a_phone_would_hear(tmp_path: Path) -> None:
    out = tmp_path / "heard.wav"

    assert run(MP3, "--out", out) == 0

    with wave.open(str(out)) as heard:
        assert (heard.getframerate(), heard.getsampwidth(), heard.getnchannels()) == (8_000, 2, 1)
        samples = heard.readframes(heard.getnframes())
    assert samples == mulaw.decode(frames_of(MP3)).astype("<i2").tobytes()


@pytest.mark.parametrize(("pieces", "seed"), [(1, 0), (417, 1), (8_000, 7)])
def test_the_size_of_the_pieces_does_not_matter(tmp_path: Path, pieces: int, seed: int) -> None:
    out = tmp_path / "heard.ulaw"

    assert run(MP3, "--out", out, "--pieces", pieces, "--seed", seed) == 0

    assert out.read_bytes() == frames_of(MP3)


def test_json_is_one_object_with_every_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(MP3, "--out", tmp_path / "heard.wav", "--json") == 0

    report = json.loads(capsys.readouterr().out)
    assert report["content"] == "mp3"
    assert (report["frames_out"], report["audio_ms"]) == (419, 8_380)
    assert (report["tag_bytes"], report["skipped_bytes"], report["dropped_frames"]) == (45, 0, 0)
    assert report["cpu_ms"] > 0


def test_people_are_told_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(MP3, "--out", tmp_path / "heard.wav")

    printed = capsys.readouterr().out
    for words in ("419 frames out", "heard 8380 ms", "skipped 0 bytes", "dropped 0 frames", "processor"):
        assert words in printed


def test_wav_and_mulaw_need_no_format(tmp_path: Path) -> None:
    heard, again = tmp_path / "heard.ulaw", tmp_path / "again.ulaw"

    assert run(FIXTURES / "speech.wav", "--out", heard) == 0
    assert run(heard, "--out", again) == 0

    assert again.read_bytes() == heard.read_bytes() == frames_of(FIXTURES / "speech.wav")


def test_raw_pcm_is_named_by_its_format(tmp_path: Path) -> None:
    raw, out = tmp_path / "speech.raw", tmp_path / "heard.ulaw"
    raw.write_bytes((FIXTURES / "speech.wav").read_bytes()[44:])

    assert run(raw, "--out", out, "--format", "pcm_22050") == 0

    assert out.read_bytes() == frames_of(FIXTURES / "speech.wav")


def test_a_missing_file_is_named_with_a_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none.mp3", "--out", tmp_path / "heard.wav") == 2

    assert "none.mp3 cannot be read (no such file or directory); give the path" in capsys.readouterr().err


def test_an_unknown_format_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(MP3, "--out", tmp_path / "heard.wav", "--format", "opus_48000") == 2

    assert "'opus_48000' is not a format we can convert" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b'{"error":"quota"}', b"<html>" * 500])
def test_a_file_without_audio_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    body, out = tmp_path / "body.mp3", tmp_path / "heard.wav"
    body.write_bytes(content)

    assert run(body, "--out", out) == 1

    assert "has no audio that we can convert" in capsys.readouterr().err
    assert not out.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(MP3, "--out", tmp_path / "none" / "heard.wav") == 2

    assert "heard.wav cannot be written (no such file or directory)" in capsys.readouterr().err


@pytest.mark.parametrize("pieces", ["0", "-3"])
def test_pieces_without_a_byte_are_refused(pieces: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(MP3, "--out", "heard.wav", "--pieces", pieces)

    assert ended.value.code == 2
    assert "is not a number of bytes from 1 up" in capsys.readouterr().err


def test_the_help_shows_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")

    printed = capsys.readouterr().out
    assert "hotline convert reply.mp3 --out heard.wav" in printed
    assert "exit codes" in printed
