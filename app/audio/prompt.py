"""Loads an operator's audio file of any format into ready frames; at start only, it is not on the call's way.

pydub holds and mixes the audio. What it would start ffmpeg for, decoding, PyAV does in this process, so that
a file gives the same frames on a machine without ffmpeg.
"""

import warnings
from pathlib import Path

import av
from av.audio.frame import AudioFrame

from app.audio.frame import Framer
from app.audio.report import Report
from app.audio.source import PcmSource
from app.errors import ConfigError

_SAMPLE_BYTES = 2
_RATES = range(1_000, 384_001)  # Hz; what claims another is damage


def load_prompt(path: str | Path) -> bytes:
    """Read a file into mu-law, a whole number of 20 ms frames; blocks while it decodes.

    Raises:
        ConfigError: if the file is missing, unreadable, or has no audio in it.
    """
    pcm16, rate, channels = _decode(Path(path))
    with warnings.catch_warnings():
        # pydub warns of a missing ffmpeg, which we do not need, and of `audioop`, whose successor we install.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    segment = AudioSegment(pcm16, sample_width=_SAMPLE_BYTES, frame_rate=rate, channels=channels)
    mono = segment.set_channels(1).raw_data
    source, framer = PcmSource(Report(f"pcm_{rate}"), rate), Framer()
    return framer.feed(source.feed(mono) + source.finish()) + framer.finish()


def _decode(path: Path) -> tuple[bytes, int, int]:
    """The first audio stream as int16, interleaved, with its rate and number of channels."""
    if not path.is_file():
        raise ConfigError(f"{path} is not a file; give the path of a WAV, MP3 or other audio file")
    try:
        with av.open(str(path)) as container:
            frames = list(container.decode(audio=0))
            pcm16 = _interleave(frames) if frames else b""  # raises when the format changes in mid-file
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as audio ({_reason(error)}); convert it to WAV") from error
    if not frames:
        raise ConfigError(f"{path} has no audio in it; record it again")
    if frames[0].sample_rate not in _RATES:
        raise ConfigError(f"{path} has {frames[0].sample_rate} samples a second; record it again")
    return pcm16, frames[0].sample_rate, frames[0].layout.nb_channels


def _interleave(frames: list[AudioFrame]) -> bytes:
    first = frames[0]
    resampler = av.AudioResampler(format="s16", layout=first.layout, rate=first.sample_rate)
    pieces = [piece for frame in [*frames, None] for piece in resampler.resample(frame)]
    size = _SAMPLE_BYTES * first.layout.nb_channels
    return b"".join(bytes(memoryview(piece.planes[0]))[: piece.samples * size] for piece in pieces)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
