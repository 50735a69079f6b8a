"""The kinds of bytes a vendor sends, each turned into mu-law at 8 kHz as they come."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from app.audio import mulaw
from app.audio.frame import SAMPLE_RATE
from app.audio.mp3 import Decoded, Mp3Decoder
from app.audio.mpeg import Header
from app.audio.onset import Onset
from app.audio.report import Report
from app.audio.resample import Resampler
from app.audio.wav import WavFormat, WavHead

_STEPS_PER_S = 100  # PCM is resampled in steps of 10 ms: small for the ear, large against the cost of a step


class Source(Protocol):
    """Bytes of one kind in, mu-law of any length out; counts into the report. Never raises."""

    def feed(self, chunk: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class Mp3Source:
    """MP3 of any kind; a change of rate or channels in mid-stream goes on without a break."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._decoder = Mp3Decoder()
        self._playing: Header | None = None  # the kind of frames that `_resampler` takes
        self._resampler: Resampler | None = None
        self._onset: Onset | None = None

    def feed(self, chunk: bytes) -> bytes:
        return self._hear(self._decoder.feed(chunk))

    def finish(self) -> bytes:
        mulaw_out = self._hear(self._decoder.finish())
        return mulaw_out + self._encode([self._resampler.finish()]) if self._resampler else mulaw_out

    def _hear(self, frames: Iterable[Decoded]) -> bytes:
        heard = [pcm16 for frame in frames for pcm16 in self._resample(frame)]
        self._report.tag_bytes = self._decoder.tag_bytes
        self._report.skipped_bytes = self._decoder.skipped_bytes
        self._report.dropped_frames = self._decoder.dropped_frames
        return self._encode(heard) if heard else b""

    def _resample(self, frame: Decoded) -> list[NDArray[np.int16]]:
        if self._resampler is None or self._playing is None or not frame.header.akin(self._playing):
            # Silence stands for a frame of a stream that is not heard yet, so maybe for none.
            return [] if frame.silent else self._begin(frame)
        if frame.silent:
            self._report.concealed_ms += frame.header.samples * 1_000 / frame.header.rate
        return [self._resampler.feed(frame.samples)]

    def _begin(self, frame: Decoded) -> list[NDArray[np.int16]]:
        """Hear the first frame of the stream, or the first of another rate or number of channels."""
        heard = []
        if self._resampler is not None:
            self._report.format_changes += 1
            heard.append(self._resampler.finish())
        self._playing = frame.header
        self._resampler = Resampler(frame.samples)
        self._onset = self._onset or Onset(frame.header.rate)
        heard.append(self._resampler.feed(frame.samples))
        return heard

    def _encode(self, heard: list[NDArray[np.int16]]) -> bytes:
        assert self._onset is not None
        return mulaw.encode(self._onset.trim(np.concatenate(heard)))


class PcmSource:
    """int16 little-endian, mono or interleaved stereo, any rate; `expanded` bytes stand for one that came."""

    def __init__(self, report: Report, rate: int, channels: int = 1, *, expanded: int = 1) -> None:
        self._report = report
        self._expanded = expanded
        self._rate = rate
        self._channels = channels
        self._rest = b""
        self._resampler: Resampler | None = None

    def feed(self, chunk: bytes) -> bytes:
        pcm16 = self._rest + chunk
        whole = len(pcm16) - len(pcm16) % (self._rate // _STEPS_PER_S * self._sample_bytes)
        self._rest = pcm16[whole:]
        return mulaw.encode(self._resample(pcm16[:whole])) if whole else b""

    def finish(self) -> bytes:
        cut = len(self._rest) % self._sample_bytes
        self._report.skipped_bytes += cut // self._expanded
        last = [self._resample(self._rest[: len(self._rest) - cut])]
        if self._resampler:
            last.append(self._resampler.finish())
        return mulaw.encode(np.concatenate(last))

    @property
    def _sample_bytes(self) -> int:
        return 2 * self._channels

    def _resample(self, pcm16: bytes) -> NDArray[np.int16]:
        samples = np.frombuffer(pcm16, "<i2")
        if not samples.size or (self._rate, self._channels) == (SAMPLE_RATE, 1):
            return samples
        layout = "mono" if self._channels == 1 else "stereo"
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = self._rate
        self._resampler = self._resampler or Resampler(frame)
        return self._resampler.feed(frame)


class MulawSource:
    """mu-law at 8 kHz, which is what the telephone takes: untouched."""

    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def finish(self) -> bytes:
        return b""


class WavSource:
    """A WAV file; its own header says what its samples are."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._head = WavHead()
        self._samples: Source | None = None

    def feed(self, chunk: bytes) -> bytes:
        samples = self._head.feed(chunk)
        self._report.tag_bytes = self._head.header_bytes
        if not samples or self._head.format is None:
            return b""
        self._samples = self._samples or _wav_samples(self._head.format, self._report)
        return self._samples.feed(samples)

    def finish(self) -> bytes:
        return self._samples.finish() if self._samples else b""


class _ExpandedSource:
    """mu-law that must be resampled or mixed."""

    def __init__(self, report: Report, rate: int, channels: int) -> None:
        self._pcm = PcmSource(report, rate, channels, expanded=2)

    def feed(self, chunk: bytes) -> bytes:
        return self._pcm.feed(mulaw.decode(chunk).astype("<i2").tobytes())

    def finish(self) -> bytes:
        return self._pcm.finish()


class NoSource:
    """Text: nothing of it is audio."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def feed(self, chunk: bytes) -> bytes:
        self._report.skipped_bytes += len(chunk)
        return b""

    def finish(self) -> bytes:
        return b""


def _wav_samples(wav: WavFormat, report: Report) -> Source:
    if wav.encoding == "pcm":
        return PcmSource(report, wav.rate, wav.channels)
    if (wav.rate, wav.channels) == (SAMPLE_RATE, 1):
        return MulawSource()
    return _ExpandedSource(report, wav.rate, wav.channels)
