"""Decodes MP3 bytes as they come, one whole frame at a time, and never plays damage.

FFmpeg's decoder does the arithmetic; what it may be given, and which of its answers are fit to be heard, is
decided here. A frame needs main data from the frames before it (the bit reservoir): after a loss the decoder
would take other bytes for them and make noise, so we keep account of what it really holds.
"""

from typing import NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame

from app.audio import mpeg
from app.audio.mp3_frames import Frame, Gap, Mp3Frames
from app.audio.mpeg import Header

# An encoder's overshoot stays below +3 dB; a damaged gain gives values far beyond any (tests/audio/test_mp3.py).
_PEAK_LIMIT = 2.0
# What a decoder can hold: `main_data_begin` has 9 bits.
_RESERVOIR_BYTES = 511


class Decoded(NamedTuple):
    """One frame's samples, planar float; `silent` when they stand for what could not be decoded."""

    samples: AudioFrame
    silent: bool


class Mp3Decoder:
    """MP3 bytes of any length in, decoded frames out; one object a stream.

    Neither method raises, whatever the bytes.
    """

    def __init__(self) -> None:
        self.dropped_frames = 0  # damaged, or without the data they need
        self._frames = Mp3Frames()
        self._codec = _codec()
        self._held_bytes = 0  # of the reservoir, all of them intact

    @property
    def tag_bytes(self) -> int:
        return self._frames.tag_bytes

    @property
    def skipped_bytes(self) -> int:
        return self._frames.skipped_bytes

    def feed(self, mp3: bytes) -> list[Decoded]:
        return [decoded for found in self._frames.feed(mp3) if (decoded := self._decode(found))]

    def finish(self) -> list[Decoded]:
        return [decoded for found in self._frames.finish() if (decoded := self._decode(found))]

    def _decode(self, found: Frame | Gap) -> Decoded | None:
        if isinstance(found, Gap):
            self._lose()
            if found.header is None:
                return None
        elif (samples := self._samples(found)) is not None:
            return Decoded(samples, silent=False)
        self.dropped_frames += 1
        return Decoded(_silence(found.header), silent=True) if found.header else None

    def _samples(self, frame: Frame) -> AudioFrame | None:
        """Decode one frame; None when what comes of it must not be heard."""
        back, carried, left = mpeg.bits(frame.mp3, frame.header)
        sound = back <= self._held_bytes and left >= 0
        if not sound:
            self._lose()
        samples = self._decompress(frame)
        if left < 0:  # its own numbers are damaged, so its data is no base for the next
            self._lose()
            return None
        self._held_bytes = min(_RESERVOIR_BYTES, self._held_bytes + carried, left)
        if samples is None or not sound:
            return None
        if not _peak(samples) <= _PEAK_LIMIT:  # also when it is not a number
            self._lose()
            return None
        return samples

    def _decompress(self, frame: Frame) -> AudioFrame | None:
        # A packet made from the bytes themselves would lack the padding that the decoder may read beyond them.
        packet = av.Packet(len(frame.mp3))
        packet.update(frame.mp3)
        try:
            decoded = self._codec.decode(packet)
        except av.FFmpegError:
            return None
        return decoded[0] if decoded else None

    def _lose(self) -> None:
        """Forget all earlier data: what follows is not its continuation."""
        self._codec.flush_buffers()
        self._held_bytes = 0


def _codec() -> av.AudioCodecContext:
    codec = av.AudioCodecContext.create("mp3float", "r")
    assert isinstance(codec, av.AudioCodecContext)
    codec.thread_count = 1
    # Granules whose data runs over their length are damaged: the decoder shall leave them out.
    codec.options = {"err_detect": "crccheck+compliant"}
    codec.open()
    return codec


def _silence(header: Header) -> AudioFrame:
    layout = "mono" if header.channels == 1 else "stereo"
    zeros = np.zeros((header.channels, header.samples), np.float32)
    frame = AudioFrame.from_ndarray(zeros, format="fltp", layout=layout)
    frame.sample_rate = header.rate
    return frame


def _peak(samples: AudioFrame) -> float:
    """The largest magnitude in any channel; not a number if a sample is none."""
    return max(
        float(np.maximum.reduce(np.abs(np.frombuffer(plane, np.float32, samples.samples))))
        for plane in samples.planes
    )
