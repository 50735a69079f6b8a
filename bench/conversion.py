"""What turning a vendor's bytes into phone frames costs, against how this project began and against ffmpeg.

The old way decoded every piece by itself with pydub, which starts ffmpeg for each, then `audioop.ratecv` and
`lin2ulaw`. Both baselines need the ffmpeg program; without it they are left out.
"""

import functools
import io
import os
import random
import resource
import shutil
import statistics
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from app.audio.converter import Converter

MATERIAL = Path(__file__).parent.parent / "fixtures" / "audio"
FORMATS = ("mp3_44100_128", "mp3_22050_32")
PIECE_BYTES = (300, 8_000)  # what vendors send
ROUNDS = 15
OLD_ROUNDS = 2  # seconds each
STREAMS = 200


def main() -> None:
    for audio_format in FORMATS:
        mp3 = (MATERIAL / f"speech_{audio_format.removeprefix('mp3_')}.mp3").read_bytes()
        _compare(audio_format, mp3)
    _hold_streams()


def _compare(audio_format: str, mp3: bytes) -> None:
    pieces = _pieces(mp3, random.Random(1))
    seconds = _seconds(audio_format, pieces)
    print(f"{audio_format}: {seconds:.1f} s of speech, {len(pieces)} pieces of {PIECE_BYTES} bytes")
    ours = _cpu_ms(lambda: _convert(audio_format, pieces), ROUNDS) / seconds
    _line("this converter", ours, ours)
    _line("its slowest piece", _slowest_piece_ms(audio_format, pieces), None, "ms wall, median of rounds")
    print(f"  {'first frame out at byte':34}{_first_frame_byte(audio_format, mp3):9d}")
    if not shutil.which("ffmpeg"):
        print("  ffmpeg is not installed: no baselines (apt-get install ffmpeg)")
        return
    # Starting the program is no part of decoding: its cost is what a long file takes beyond a short one.
    once, many = (_cpu_ms(functools.partial(_ffmpeg, mp3 * copies), 5) for copies in (1, 21))
    _line("ffmpeg, decoding only", (many - once) / (20 * seconds), ours)
    _line("ffmpeg, one run for the whole file", once / seconds, ours)
    failures: list[int] = []
    _line(
        "pydub per piece (the old way)",
        _cpu_ms(lambda: failures.append(_old(pieces)), OLD_ROUNDS) / seconds,
        ours,
    )
    print(f"  {'  of its pieces not decodable':34}{failures[-1]:9d} of {len(pieces)}")


def _hold_streams() -> None:
    """Memory and threads of streams that are all in mid-sentence."""
    mp3 = (MATERIAL / "speech_44100_128.mp3").read_bytes()[:40_000]
    _convert(FORMATS[0], [mp3])
    threads, kib = _threads(), _resident_kib()
    streams = [Converter(FORMATS[0]) for _ in range(STREAMS)]
    began = time.thread_time()
    for stream in streams:
        stream.feed(mp3[:500])
    opening_ms = (time.thread_time() - began) * 1_000 / STREAMS
    for stream in streams:
        stream.feed(mp3[500:])
    print(f"{STREAMS} streams in mid-sentence")
    print(f"  {'memory of each':34}{(_resident_kib() - kib) / STREAMS:9.0f} KiB")
    print(f"  {'threads of all':34}{_threads() - threads:9d}")
    print(f"  {'new stream to its first frame':34}{opening_ms:9.3f} ms CPU")


def _line(name: str, ms: float, ours: float | None, unit: str = "ms CPU per second of audio") -> None:
    ratio = f"   {ms / ours:8.2f} x ours" if ours else ""
    print(f"  {name:34}{ms:9.3f} {unit}{ratio}")


def _pieces(mp3: bytes, chance: random.Random) -> list[bytes]:
    pieces, at = [], 0
    while at < len(mp3):
        size = chance.randint(*PIECE_BYTES)
        pieces.append(mp3[at : at + size])
        at += size
    return pieces


def _convert(audio_format: str, pieces: list[bytes]) -> Converter:
    converter = Converter(audio_format)
    for piece in pieces:
        converter.feed(piece)
    converter.finish()
    return converter


def _seconds(audio_format: str, pieces: list[bytes]) -> float:
    return _convert(audio_format, pieces).report.audio_ms / 1_000


def _slowest_piece_ms(audio_format: str, pieces: list[bytes]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        converter, slowest = Converter(audio_format), 0.0
        for piece in pieces:
            began = time.perf_counter()
            converter.feed(piece)
            slowest = max(slowest, time.perf_counter() - began)
        rounds.append(slowest * 1_000)
    return statistics.median(rounds)


def _first_frame_byte(audio_format: str, mp3: bytes) -> int:
    converter = Converter(audio_format)
    return next(at + 1 for at in range(len(mp3)) if converter.feed(mp3[at : at + 1]))


def _ffmpeg(mp3: bytes) -> None:
    command = ["ffmpeg", "-v", "quiet", "-threads", "1", "-f", "mp3", "-i", "-"]
    subprocess.run(
        [*command, "-ar", "8000", "-ac", "1", "-f", "mulaw", "-"], input=mp3, stdout=subprocess.DEVNULL
    )


def _old(pieces: list[bytes]) -> int:
    """Convert piece by piece without any state; the number of pieces that could not be decoded at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import audioop

        from pydub import AudioSegment
        from pydub.exceptions import CouldntDecodeError
    failed = 0
    for piece in pieces:
        try:
            segment = (
                AudioSegment.from_file(io.BytesIO(piece), format="mp3").set_channels(1).set_sample_width(2)
            )
        except (CouldntDecodeError, IndexError):
            failed += 1
            continue
        pcm16, _ = audioop.ratecv(segment.raw_data, 2, 1, segment.frame_rate, 8_000, None)
        audioop.lin2ulaw(pcm16, 2)
    return failed


def _cpu_ms(work: Callable[[], object], rounds: int) -> float:
    """Processor time of this process and of the programs it starts: the median of the rounds."""
    work()
    spent = []
    for _ in range(rounds):
        before = _cpu_s()
        work()
        spent.append((_cpu_s() - before) * 1_000)
    return statistics.median(spent)


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _threads() -> int:
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1


def _resident_kib() -> float:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1_024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
