"""The one streaming converter: a vendor's bytes in pieces of any size to the telephone's 20 ms frames."""

import re

from app import clock
from app.audio import mulaw, onset
from app.audio.frame import Framer
from app.audio.report import Report
from app.audio.sniff import Content, sniff
from app.audio.source import Mp3Source, MulawSource, NoSource, PcmSource, Source, WavSource
from app.errors import ConfigError

_FORMAT = re.compile(r"mp3_\w+|pcm_(?P<rate>\d{4,6})|ulaw_8000")
_RATES = range(8_000, 192_001)  # Hz


class Converter:
    """Turns one stream of audio into mu-law frames; a new object for every sentence.

    For every split of the same bytes the frames are the same. Neither method raises, whatever the bytes: what
    is no audio is skipped, counted in `report`, and never heard. Runs inline on the event loop: a second of
    audio takes about 1 ms of processor (`bench/conversion.py`), less than handing it to a thread would.
    """

    def __init__(self, audio_format: str) -> None:
        """`audio_format`: `mp3_*`, `pcm_<rate>` (int16 little-endian mono) or `ulaw_8000`.

        Raises:
            ConfigError: for any other name.
        """
        self.report = Report(audio_format)
        self._named, self._rate = _parse(audio_format)
        self._head = b""  # held until it is certain what it begins
        self._source: Source | None = None
        self._framer = Framer()
        self._finished = False

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes, any number; give the frames that they complete, one after the other."""
        if self._finished:
            return b""
        began = clock.cpu()
        self.report.bytes_in += len(chunk)
        frames = self._framer.feed(self._convert(chunk, ended=False))
        return self._count(frames, began)

    def finish(self) -> bytes:
        """Flush decoder and filter; the last frame is filled up with silence. Nothing comes after this."""
        if self._finished:
            return b""
        self._finished = True
        began = clock.cpu()
        frames = self._framer.feed(self._convert(b"", ended=True))
        if not self._ends_in_padding():
            frames += self._framer.finish()
        return self._count(frames, began)

    def _convert(self, chunk: bytes, ended: bool) -> bytes:
        if self._source is None:
            chunk = self._head = self._head + chunk
            content = sniff(self._head, self._named, ended=ended)
            if content is None:
                return b""
            self._head = b""
            self.report.content = content
            self._source = self._open(content)
        heard = self._source.feed(chunk) if chunk else b""
        return heard + self._source.finish() if ended else heard

    def _open(self, content: Content) -> Source:
        match content:
            case Content.MP3:
                return Mp3Source(self.report)
            case Content.WAV:
                return WavSource(self.report)
            case Content.PCM:
                return PcmSource(self.report, self._rate)
            case Content.MULAW:
                return MulawSource()
            case Content.TEXT:
                return NoSource(self.report)

    def _ends_in_padding(self) -> bool:
        """An encoder fills up its last MP3 frame; a silent remainder is that, and no frame is due for it."""
        return self.report.content == Content.MP3 and onset.is_silent(mulaw.decode(self._framer.rest))

    def _count(self, frames: bytes, began: float) -> bytes:
        self.report.bytes_out += len(frames)
        self.report.cpu_ms += (clock.cpu() - began) * 1_000
        return frames


def _parse(audio_format: str) -> tuple[Content, int]:
    match = _FORMAT.fullmatch(audio_format)
    rate = int(match["rate"] or 8_000) if match else 0
    if rate not in _RATES:
        raise ConfigError(
            f"{audio_format!r} is not a format we can convert; use mp3_44100_128 or another mp3_*, "
            "pcm_8000 to pcm_192000, or ulaw_8000"
        )
    return Content(audio_format.partition("_")[0]), rate
