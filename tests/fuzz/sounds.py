"""Every byte that may be taken for audio: vendors' streams, and operators' files."""

import contextlib
import io
import tempfile
from pathlib import Path

from app.audio.converter import Converter
from app.audio.prompt import load_prompt
from app.cli.parser import run
from app.errors import ConfigError
from tests.fuzz.rules import rule

FRAME_BYTES = 160
FORMATS = ("mp3_44100_128", "pcm_16000", "pcm_8000", "ulaw_8000", "pcm_44100")
# Bytes of mu-law for a byte of anything: MP3 at 8 kbit/s has 8, a WAV file of 1 kHz has 4.
MOST_EXPANSION = 10
ENDINGS = (".mp3", ".wav", ".ulaw", "")


def mp3(given: bytes) -> None:
    """MP3 as it comes, cut anywhere."""
    _split_alike("mp3_44100_128", given)


def audio(given: bytes) -> None:
    """Any format, by the first byte; a WAV file tells its own."""
    _split_alike(FORMATS[given[0] % len(FORMATS)] if given else FORMATS[0], given[1:])


def convert(given: bytes) -> None:
    """`hotline convert FILE`: written, or a sentence about why not."""
    with tempfile.TemporaryDirectory(prefix="hotline-fuzz-") as folder:
        file = Path(folder, "given" + ENDINGS[given[0] % len(ENDINGS)] if given else "given")
        file.write_bytes(given[1:])
        heard = Path(folder, "heard.wav")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as told:
            code = run(["convert", str(file), "--out", str(heard), "--seed", str(len(given))])
        rule(code in (0, 1), f"exit code {code}")
        rule((code == 0) == heard.exists(), f"exit code {code}, and written: {heard.exists()}")
        rule(code == 0 or "hotline convert: " in told.getvalue(), "it does not say why")


def prompt(given: bytes) -> None:
    """An operator's audio file of any format."""
    with tempfile.TemporaryDirectory(prefix="hotline-fuzz-") as folder:
        file = Path(folder, "prompt" + ENDINGS[given[0] % 2] if given else "prompt")
        file.write_bytes(given[1:])
        try:
            frames = load_prompt(file)
        except ConfigError:
            return
    rule(len(frames) % FRAME_BYTES == 0, f"{len(frames)} bytes are no whole frames")


def _split_alike(audio_format: str, given: bytes) -> None:
    """Never an exception; whole frames, no more than the bytes can hold, the same however they are cut."""
    once, cut = Converter(audio_format), Converter(audio_format)
    frames = once.feed(given) + once.finish()
    size = 1 + sum(given[:4]) % 700
    pieces = b"".join(cut.feed(given[at : at + size]) for at in range(0, len(given), size)) + cut.finish()
    rule(frames == pieces, f"cut into {size} bytes it sounds otherwise")
    rule(len(frames) % FRAME_BYTES == 0, f"{len(frames)} bytes are no whole frames")
    most = MOST_EXPANSION * len(given) + 16_000
    rule(len(frames) <= most, f"{len(frames)} bytes of audio out of {len(given)}")
    report = once.report
    rule(report.bytes_in == len(given), f"{report.bytes_in} bytes of {len(given)} counted")
    counted = report.skipped_bytes + report.tag_bytes
    rule(counted <= report.bytes_in, f"{counted} bytes skipped of {report.bytes_in}")
