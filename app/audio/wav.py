"""The head of a WAV file, read as it comes: what it holds, and where its samples begin and end."""

import struct
from typing import NamedTuple

_RIFF_BYTES = 12
_CHUNK_BYTES = 8
_FORMAT_BYTES = 26  # as much of `fmt ` as says everything, in the extensible form
_UNKNOWN_LENGTHS = (0, 0xFFFF_FFFF)  # what writers leave when they cannot seek back: until the end
_PCM, _MULAW, _EXTENSIBLE = 1, 7, 0xFFFE


class WavFormat(NamedTuple):
    """What the samples are: `pcm` int16 little-endian, interleaved, or `ulaw`."""

    encoding: str
    rate: int
    channels: int


class WavHead:
    """Strips a WAV file down to its samples; `format` is known once the first of them come out.

    Files that are neither 16-bit PCM nor mu-law, mono or stereo, give no samples.
    """

    def __init__(self) -> None:
        self.format: WavFormat | None = None
        self.header_bytes = 0  # all that was not samples
        self._buffer = b""
        self._at = 0  # all before this in the buffer is dealt with
        self._skip = _RIFF_BYTES
        self._samples_left: float = 0  # bytes, infinite when the head does not say

    def feed(self, wav: bytes) -> bytes:
        """Take the next bytes of the file, from the first on; give the sample bytes among them."""
        samples = b""
        self._buffer += wav
        while self._at < len(self._buffer):
            left = len(self._buffer) - self._at
            if self._samples_left:
                taken = int(min(self._samples_left, left))
                samples += self._buffer[self._at : self._at + taken]
                self._samples_left -= taken
                self._at += taken
            elif self._skip:
                self._drop(min(self._skip, left))
            elif not self._chunk():
                break
        # Cut once: a file of a million empty chunks must not be copied for each of them.
        self._buffer, self._at = self._buffer[self._at :], 0
        return samples

    def _drop(self, count: int) -> None:
        self._at += count
        self._skip -= count
        self.header_bytes += count

    def _chunk(self) -> bool:
        """Begin the next chunk of the file; False when too little of it is here."""
        left = len(self._buffer) - self._at
        if left < _CHUNK_BYTES:
            return False
        name, length = struct.unpack_from("<4sI", self._buffer, self._at)
        if name == b"data" and self.format:
            self._samples_left = float("inf") if length in _UNKNOWN_LENGTHS else length
            self._skip = _CHUNK_BYTES
            self._drop(_CHUNK_BYTES)
            return True
        padded = _CHUNK_BYTES + length + length % 2
        if name == b"fmt ":
            if left < min(padded, _CHUNK_BYTES + _FORMAT_BYTES):
                return False
            self.format = _format(self._buffer[self._at + _CHUNK_BYTES : self._at + padded])
        self._skip = padded
        return True


def _format(chunk: bytes) -> WavFormat | None:
    if len(chunk) < 16:
        return None
    tag, channels, rate, _, _, sample_bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= _FORMAT_BYTES:
        tag = int.from_bytes(chunk[24:26], "little")
    encoding = {(_PCM, 16): "pcm", (_MULAW, 8): "ulaw"}.get((tag, sample_bits))
    known = encoding and channels in (1, 2) and 1_000 <= rate <= 384_000
    return WavFormat(encoding, rate, channels) if known and encoding else None
