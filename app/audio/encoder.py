"""Telephone audio as the files that other programs want, made as it comes."""

import struct
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from app.audio import mulaw
from app.audio.frame import SAMPLE_RATE
from app.audio.tempo import Tempo
from app.audio.upsample import RATE, Upsampler

PIECE = 800  # bytes of mu-law, 100 ms: the encoder is slowest at mp3, 2 ms for so much
_BIT_RATE = 64_000  # of what is compressed with loss; telephone speech is clear from 24,000 on
_UNKNOWN = 0xFFFF_FFFF  # the length of a file that is not finished when its head is sent


class _Container(NamedTuple):
    muxer: str
    codec: str
    options: dict[str, str]


MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "ulaw": "audio/basic",
}
_CONTAINERS = {
    "mp3": _Container("mp3", "libmp3lame", {"write_xing": "0", "id3v2_version": "0"}),
    "opus": _Container("ogg", "libopus", {"page_duration": "200000"}),  # microseconds; a second is usual
    "aac": _Container("adts", "aac", {}),
    "flac": _Container("flac", "flac", {}),
}


class Encoder:
    """Mu-law in, a file of `response_format` out, at `speed` times the pace.

    `pcm`, `wav` and the compressed ones are 24 kHz mono; `ulaw` is bare mu-law at 8 kHz. A WAV's head tells
    the largest length there is, since none is known yet. Encoding is inline: give it no more than `PIECE` at
    once where a loop must not wait.
    """

    def __init__(self, response_format: str, speed: float = 1.0) -> None:
        self._tempo = Tempo(speed)
        self._file = _file(response_format)
        self._samples = 0

    @property
    def audio_ms(self) -> float:
        """Media time of what has come out."""
        return self._samples * 1000 / SAMPLE_RATE

    def feed(self, mulaw_in: bytes) -> bytes:
        """Take mu-law of any length; what comes out of it may be nothing yet."""
        return self._take(self._tempo.feed(mulaw.decode(mulaw_in)))

    def finish(self) -> bytes:
        """The end of the file; nothing may be fed afterwards."""
        return self._take(self._tempo.finish()) + self._file.finish()

    def _take(self, pcm16: NDArray[np.int16]) -> bytes:
        self._samples += len(pcm16)
        return self._file.feed(pcm16)


def pieces_of(mulaw_in: bytes) -> Iterator[bytes]:
    """Mu-law cut so that encoding one piece keeps no loop waiting."""
    return (mulaw_in[start : start + PIECE] for start in range(0, len(mulaw_in), PIECE))


class _File(Protocol):
    """int16 samples at 8 kHz in, bytes of a file out."""

    def feed(self, pcm16: NDArray[np.int16]) -> bytes: ...

    def finish(self) -> bytes: ...


def _file(response_format: str) -> _File:
    match response_format:
        case "ulaw":
            return _Ulaw()
        case "pcm":
            return _Pcm(b"")
        case "wav":
            return _Pcm(_wav_head())
        case _:
            return _Compressed(_CONTAINERS[response_format])


class _Ulaw:
    def feed(self, pcm16: NDArray[np.int16]) -> bytes:
        return mulaw.encode(pcm16)

    def finish(self) -> bytes:
        return b""


class _Pcm:
    def __init__(self, head: bytes) -> None:
        self._head = head
        self._upsampler = Upsampler()

    def feed(self, pcm16: NDArray[np.int16]) -> bytes:
        return self._headed(self._upsampler.feed(pcm16))

    def finish(self) -> bytes:
        return self._headed(self._upsampler.finish())

    def _headed(self, wide: NDArray[np.int16]) -> bytes:
        head, self._head = self._head, b""
        return head + wide.astype("<i2").tobytes()


class _Compressed:
    def __init__(self, container: _Container) -> None:
        self._upsampler = Upsampler()
        self._sink = _Sink()
        self._muxer = av.open(
            self._sink,
            "w",
            format=container.muxer,
            options=container.options | {"flush_packets": "1"},  # else bytes wait until there are 32 KB
        )
        stream = self._muxer.add_stream(container.codec, rate=RATE, layout="mono")
        assert isinstance(stream, AudioStream)
        stream.codec_context.thread_count = 1
        stream.codec_context.bit_rate = _BIT_RATE
        self._stream = stream
        self._samples = 0

    def feed(self, pcm16: NDArray[np.int16]) -> bytes:
        self._encode(self._upsampler.feed(pcm16))
        return self._sink.take()

    def finish(self) -> bytes:
        self._encode(self._upsampler.finish())
        self._muxer.mux(self._stream.encode(None))
        self._muxer.close()
        return self._sink.take()

    def _encode(self, wide: NDArray[np.int16]) -> None:
        if not wide.size:
            return
        frame = AudioFrame.from_ndarray(wide[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self._samples
        self._samples += len(wide)
        self._muxer.mux(self._stream.encode(frame))


class _Sink:
    """Where the muxer writes: it cannot go back, so that every byte can be sent at once."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, written: bytes) -> int:
        self._written += written
        return len(written)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _wav_head() -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", _UNKNOWN, b"WAVE")
        + struct.pack("<4sI", b"fmt ", len(form))
        + form
        + struct.pack("<4sI", b"data", _UNKNOWN)
    )
