"""Decodes MP3 bytes as they come, one whole frame at a time, and never plays damage.

FFmpeg's decoder does the arithmetic; what it may be given, and which of its answers are fit to be heard, is
decided here. A frame needs main data from the frames before it (the bit reservoir): after a loss the decoder
would take other bytes for them and make noise, so we keep account of what it really holds.
"""

from collections.abc import Iterator
from typing import NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame

from app.audio import mpeg
from app.audio.mp3_frames import Frame, Gap, Mp3Frames
from app.audio.mpeg import Header

# Honest peaks: speech 0.95, speech clipped by 18 dB 1.66 (LAME, 8 to 128 kbit/s). In 300 streams of 22.05 kHz
# with 1 to 50 bytes overwritten, 24 frames came out far louder than the original without this limit, up to
# 1,600 times full scale; with it 7, none beyond a loud voice.
_PEAK_LIMIT = 2.0
# What a decoder can hold: `main_data_begin` has 9 bits.
_RESERVOIR_BYTES = 511


class Decoded(NamedTuple):
    """One frame's samples, planar float; `silent` when they stand for what could not be decoded."""

    samples: AudioFrame
    header: Header
    silent: bool


class Mp3Decoder:
    """MP3 bytes of any length in, decoded frames out; one object a stream.

    Neither method raises, whatever the bytes.
    """

    def __init__(self) -> None:
        self.dropped_frames = 0  # damaged, or without the data they need
        self._frames = Mp3Frames()
        self._codec = _codec()
        self._left_bytes = 0  # of main data, that the last frame did not use
        self._held_bytes = 0  # of these, intact in the decoder; fewer after a loss

    @property
    def tag_bytes(self) -> int:
        return self._frames.tag_bytes

    @property
    def skipped_bytes(self) -> int:
        return self._frames.skipped_bytes

    def feed(self, mp3: bytes) -> Iterator[Decoded]:
        """Decode as far as the bytes go, frame by frame as the iterator is drawn; draw it to its end."""
        return self._decode_all(self._frames.feed(mp3))

    def finish(self) -> Iterator[Decoded]:
        """Decode what was waiting for proof; draw the iterator to its end."""
        return self._decode_all(self._frames.finish())

    def _decode_all(self, found: list[Frame | Gap]) -> Iterator[Decoded]:
        # One at a time: a list of decoded frames would make the decoder's pool of buffers grow for good.
        for one in found:
            if decoded := self._decode(one):
                yield decoded

    def _decode(self, found: Frame | Gap) -> Decoded | None:
        if isinstance(found, Frame):
            samples = self._samples(found)
            if samples is not None:
                return Decoded(samples, found.header, silent=False)
        else:
            self._lose()
        if found.header is None:
            return None
        self.dropped_frames += 1
        return Decoded(_silence(found.header), found.header, silent=True)

    def _samples(self, frame: Frame) -> AudioFrame | None:
        """Decode one frame; None when what comes of it must not be heard."""
        back, carried, left = mpeg.bits(frame.mp3, frame.header)
        if back > self._left_bytes:  # the frame before left less than this one goes back: not its successor
            self._lose()
        sound = back <= self._held_bytes
        samples = self._decompress(frame)  # also when it is not sound: the next frames need its data
        if left < 0:  # its own numbers are damaged, so its data is no base for the next
            self._lose()
            return None
        self._left_bytes = left
        self._held_bytes = min(_RESERVOIR_BYTES, self._held_bytes + carried, left)
        if samples is None or not sound:
            return None
        if not _is_plausible(samples):
            self._lose()
            return None
        return samples

    def _decompress(self, frame: Frame) -> AudioFrame | None:
        # A packet made from the bytes themselves would lack the padding that the decoder may read beyond.
        packet = av.Packet(len(frame.mp3))
        packet.update(frame.mp3)
        try:
            decoded = self._codec.decode(packet)
        except av.FFmpegError:
            return None
        if not decoded or decoded[0].samples != frame.header.samples:
            return None
        samples = decoded[0]
        samples.sample_rate = frame.header.rate  # the library gives the first frame of a new rate the old one
        return samples

    def _lose(self) -> None:
        """Forget all earlier data: what follows is not its continuation."""
        self._codec.flush_buffers()
        self._left_bytes = self._held_bytes = 0


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


def _is_plausible(samples: AudioFrame) -> bool:
    """Whether every sample is a number that an encoder's input can have led to."""
    for plane in samples.planes:
        values = np.frombuffer(memoryview(plane), np.float32, samples.samples)
        # `argmax` costs a third of `max`, which matters at every frame; both find what is not a number.
        if not (values[values.argmax()] <= _PEAK_LIMIT and values[values.argmin()] >= -_PEAK_LIMIT):
            return False
    return True
