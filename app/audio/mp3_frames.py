"""Finds the frames in a stream of MP3 bytes: steps over tags, and over damage without being fooled by it.

What comes out, and after which byte, depends on the bytes alone and never on how they were cut.
"""

import re
from enum import Enum
from typing import NamedTuple

from app.audio import mpeg
from app.audio.mpeg import Header


class Frame(NamedTuple):
    """A whole frame, header included."""

    mp3: bytes
    header: Header


class Gap(NamedTuple):
    """Bytes were lost or foreign here; `header` is the frame that this spoilt, if one had begun."""

    header: Header | None


class _Tag(NamedTuple):
    length: int


class _More(Enum):
    """Too few bytes to tell."""

    MORE = "more"


_MORE = _More.MORE
_LOOK_BYTES = 16  # enough to recognise any tag
ID3V2_BYTES = 10
_ID3V1_BYTES = 128
_APE_BYTES = 32
_APE_LIMIT_BYTES = 16 << 20  # more than any tag's; a larger size is damage that would swallow the rest
_START = re.compile(mpeg.SYNC.pattern + rb"|ID3", re.DOTALL)
_START_BYTES = 3
_ENDING = re.compile(rb"(?:\xff(?:[\xe2\xe3\xf2\xf3\xfa\xfb])?|ID?)\Z", re.DOTALL)


class Mp3Frames:
    """Cuts MP3 bytes into frames.

    A frame is given when the bytes behind it prove its length, so that one which lost bytes is never decoded.
    Only the opening frame of a stream, or after a tag, is given as soon as it is complete, if it needs no
    earlier data. In search of a new beginning a header counts when another of its kind follows in its place.
    """

    def __init__(self) -> None:
        self.tag_bytes = 0  # tags and index frames, stepped over
        self.skipped_bytes = 0  # what belongs to no frame and no tag
        self._buffer = bytearray()
        self._at = 0  # all before this is dealt with
        self._tag_left = 0
        self._in_step = True  # `_at` is where a frame or tag must begin; otherwise we search
        self._opening = True

    def feed(self, mp3: bytes) -> list[Frame | Gap]:
        """Take bytes of any length; give the frames and gaps that they complete."""
        self._buffer += mp3
        return self._drain(ended=False)

    def finish(self) -> list[Frame | Gap]:
        """Give what was waiting for proof; what is incomplete is skipped."""
        found = self._drain(ended=True)
        self.skipped_bytes += len(self._buffer)
        self._buffer.clear()
        return found

    def _drain(self, ended: bool) -> list[Frame | Gap]:
        drained: list[Frame | Gap] = []
        while (found := self._step(ended)) is not _MORE:
            if found is not None:
                drained.append(found)
        del self._buffer[: self._at]
        self._at = 0
        return drained

    def _step(self, ended: bool) -> Frame | Gap | _More | None:
        """One decision: something to give, None for a step that gives nothing, or `_MORE`."""
        if self._tag_left:
            return self._step_over_tag()
        if not self._in_step:
            return self._search(ended)
        match self._look(self._at):
            case _Tag(length=length):
                self._tag_left = length
                self._opening = True
                return None
            case Header() as header:
                return self._take(header, ended)
            case _More():
                return _MORE
        self._in_step = False
        return Gap(None)

    def _step_over_tag(self) -> _More | None:
        have = min(self._tag_left, len(self._buffer) - self._at)
        self._at += have
        self._tag_left -= have
        self.tag_bytes += have
        return _MORE if self._tag_left else None

    def _take(self, header: Header, ended: bool) -> Frame | Gap | _More | None:
        end = self._at + header.length
        if len(self._buffer) < end:
            return _MORE
        mp3 = bytes(self._buffer[self._at : end])
        if mpeg.is_index(mp3, header):
            self._at = end
            self.tag_bytes += header.length
            self._opening = True
            return None
        if not (self._opening and _stands_alone(mp3, header)):
            after = self._look(end)
            if after is None:
                self._in_step = False
                self._skip(1)
                return Gap(header)
            if after is _MORE and not ended:
                return _MORE
        self._opening = False
        self._at = end
        return Frame(mp3, header)

    def _search(self, ended: bool) -> _More | None:
        """Go to the next place where frames begin again."""
        match = _START.search(self._buffer, self._at)
        if match is None:
            unfinished = _ENDING.search(self._buffer, max(self._at, len(self._buffer) - _START_BYTES + 1))
            self._skip((unfinished.start() if unfinished else len(self._buffer)) - self._at)
            return _MORE
        self._skip(match.start() - self._at)
        found = self._look(self._at)
        if isinstance(found, Header):
            found = self._second(found, ended)
        if found is _MORE:
            return _MORE
        if found is None:
            self._skip(1)
        else:
            self._in_step = True
        return None

    def _second(self, header: Header, ended: bool) -> Header | _Tag | _More | None:
        """What stands where the frame with this header would end, if that proves the header."""
        after = self._look(self._at + header.length)
        if ended and after is _MORE:
            return header if self._at + header.length == len(self._buffer) else None
        return None if isinstance(after, Header) and not after.akin(header) else after

    def _skip(self, count: int) -> None:
        self._at += count
        self.skipped_bytes += count

    def _look(self, at: int) -> Header | _Tag | _More | None:
        """What begins at `at`: None when nothing that belongs into a stream of MP3."""
        head = bytes(self._buffer[at : at + _LOOK_BYTES])
        if head[:1] == b"\xff":
            return mpeg.parse(head[:4]) if len(head) >= mpeg.HEADER_BYTES else _MORE
        return _tag(head)


def id3v2_length(head: bytes) -> int | None:
    """The length of the whole tag that begins with these ten bytes; None unless an ID3v2 header."""
    version, revision, flags, size = head[3], head[4], head[5], head[6:ID3V2_BYTES]
    if not 2 <= version <= 4 or revision == 0xFF or flags & 0x0F or max(size) > 0x7F:
        return None
    length = size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3]
    footer = ID3V2_BYTES if flags & 0x10 else 0
    return ID3V2_BYTES + length + footer


def _stands_alone(mp3: bytes, header: Header) -> bool:
    """Whether the frame is decodable without any before it, and its numbers agree with each other."""
    back, _, left = mpeg.bits(mp3, header)
    return back == 0 and left >= 0


def _tag(head: bytes) -> _Tag | _More | None:
    if head[:3] == b"ID3":
        if len(head) < ID3V2_BYTES:
            return _MORE
        length = id3v2_length(head)
        return None if length is None else _Tag(length)
    if head[:3] == b"TAG":
        return _Tag(_ID3V1_BYTES)
    if head[:8] == b"APETAGEX":
        return _MORE if len(head) < _LOOK_BYTES else _ape(head)
    return _MORE if any(mark.startswith(head) for mark in (b"ID3", b"TAG", b"APETAGEX")) else None


def _ape(head: bytes) -> _Tag | None:
    """The size counts the items and the footer; this header before them comes on top."""
    size = int.from_bytes(head[12:16], "little")
    return _Tag(_APE_BYTES + size) if size <= _APE_LIMIT_BYTES else None
