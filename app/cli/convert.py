"""`hotline convert`: what a phone would hear of a file, by the same streaming converter that calls use."""

import argparse
import json
import random
import sys
import wave
from dataclasses import asdict
from pathlib import Path

from app.audio import mulaw
from app.audio.converter import Converter
from app.audio.frame import SAMPLE_RATE
from app.audio.report import Report
from app.errors import ConfigError

_PIECE_BYTES = 4_096
_MULAW_ENDINGS = (".ulaw", ".ul", ".mulaw")
_EXAMPLES = """examples:
  hotline convert reply.mp3 --out heard.wav
  hotline convert reply.mp3 --out heard.ulaw --pieces 1
  hotline convert reply.raw --out heard.wav --format pcm_24000 --json

exit codes: 0 written, 1 the file has no audio we can convert, 2 a file cannot be read or written
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    command = commands.add_parser(
        "convert",
        help="what a phone would hear of an audio file",
        description="Run a file through the streaming converter in random pieces; write what is heard.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("file", metavar="FILE", type=Path, help="MP3, WAV, mu-law or (with --format) PCM")
    command.add_argument(
        "--out", required=True, type=Path, help="what was heard: .wav (8 kHz, 16 bit) or .ulaw"
    )
    command.add_argument(
        "--pieces",
        type=_positive,
        default=_PIECE_BYTES,
        metavar="N",
        help="largest piece, bytes (%(default)s)",
    )
    command.add_argument("--seed", type=int, default=0, help="of the pieces' sizes (%(default)s)")
    command.add_argument(
        "--format", metavar="F", help="mp3_*, pcm_<rate> or ulaw_8000; otherwise seen from the file"
    )
    command.add_argument("--json", action="store_true", help="print the report as one JSON object")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert; the exit code."""
    try:
        content = args.file.read_bytes()
    except OSError as error:
        return _fail(f"{args.file} cannot be read ({_reason(error)}); give the path of an audio file", 2)
    try:
        converter = Converter(args.format or _format_of(args.file))
    except ConfigError as error:
        return _fail(str(error), 2)
    frames = _convert(converter, content, args.pieces, random.Random(args.seed))
    _print(converter.report, args.json)
    if not frames:
        return _fail(f"{args.file} has no audio that we can convert; give --format if it is raw PCM", 1)
    try:
        _write(args.out, frames)
    except OSError as error:
        return _fail(f"{args.out} cannot be written ({_reason(error)}); give another path with --out", 2)
    return 0


def _convert(converter: Converter, content: bytes, largest: int, chance: random.Random) -> bytes:
    at, frames = 0, []
    while at < len(content):
        size = chance.randint(1, largest)
        frames.append(converter.feed(content[at : at + size]))
        at += size
    frames.append(converter.finish())
    return b"".join(frames)


def _format_of(path: Path) -> str:
    """The converter knows MP3 and WAV by themselves; only headless formats need a name."""
    return "ulaw_8000" if path.suffix.lower() in _MULAW_ENDINGS else "mp3_44100_128"


def _write(path: Path, frames: bytes) -> None:
    if path.suffix.lower() in _MULAW_ENDINGS:
        path.write_bytes(frames)
        return
    with path.open("wb") as file, wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(mulaw.decode(frames).astype("<i2").tobytes())


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        fields = asdict(report) | {"frames_out": report.frames_out, "audio_ms": report.audio_ms}
        print(json.dumps(fields))
        return
    print(f"{report.content or 'nothing'}: {report.bytes_in} bytes in, {report.frames_out} frames out")
    print(f"heard {report.audio_ms} ms, of which {report.concealed_ms:.0f} ms silence for lost frames")
    print(f"skipped {report.skipped_bytes} bytes, and {report.tag_bytes} bytes of tags and headers")
    print(f"dropped {report.dropped_frames} frames, format changed {report.format_changes} times")
    print(f"processor {report.cpu_ms:.1f} ms")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of bytes from 1 up")
    return number


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _fail(message: str, code: int) -> int:
    print(f"hotline convert: {message}", file=sys.stderr)
    return code
