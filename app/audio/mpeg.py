"""What one MP3 frame says about itself: its header, and how it uses the bits of the frames before it.

Source: ISO/IEC 11172-3 (MPEG-1) and 13818-3 (MPEG-2), layer III; 2.5 is the usual extension to 8-12 kHz.
"""

import re
from functools import lru_cache
from typing import NamedTuple

HEADER_BYTES = 4

# The first three bytes of any frame we can decode: layer III of version 1, 2 or 2.5, with a bit rate that is
# neither free nor reserved. `parse` judges the rest.
SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]", re.DOTALL)

_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MONO = 3
_MARKS = (b"Xing", b"Info")
_VBRI_OFFSET = 36


class Header(NamedTuple):
    """A frame's four bytes, read; `length` counts the whole frame with them."""

    version: int  # as coded: 3 is MPEG-1, 2 MPEG-2, 0 MPEG-2.5
    rate: int  # Hz
    channels: int
    samples: int  # per channel
    length: int
    side_start: int  # where the side information begins
    side_bytes: int

    def akin(self, other: "Header") -> bool:
        """Whether both may belong to one encoder's stream."""
        return (self.version, self.rate, self.channels) == (other.version, other.rate, other.channels)


class Bits(NamedTuple):
    """How a frame uses the reservoir of main data; all in bytes."""

    back: int  # where its own data begins, counted back from the main data it carries
    carried: int  # main data it carries
    left: int  # what may serve the next frame; negative when the frame claims more than there is


@lru_cache(maxsize=1_024)
def parse(head: bytes) -> Header | None:
    """Read four bytes; None unless they begin a layer III frame of a known length."""
    if len(head) < HEADER_BYTES or not SYNC.match(head):
        return None
    version, rate_index = (head[1] >> 3) & 3, (head[2] >> 2) & 3
    if rate_index == 3 or head[3] & 3 == 2:  # reserved values
        return None
    first = version == 3
    kbits = (_KBITS_1 if first else _KBITS_2)[head[2] >> 4]
    rate = _RATES[version][rate_index]
    mono = head[3] >> 6 == _MONO
    return Header(
        version=version,
        rate=rate,
        channels=1 if mono else 2,
        samples=1_152 if first else 576,
        length=(144_000 if first else 72_000) * kbits // rate + (head[2] >> 1 & 1),
        side_start=HEADER_BYTES if head[1] & 1 else HEADER_BYTES + 2,  # a checksum comes between
        side_bytes=(17 if mono else 32) if first else (9 if mono else 17),
    )


def bits(mp3: bytes, header: Header) -> Bits:
    """Read the side information of a whole frame: where its data lies, and how many bits it takes."""
    end = header.side_start + header.side_bytes
    side = int.from_bytes(mp3[header.side_start : end])
    width = header.side_bytes * 8
    first = header.version == 3
    back = side >> (width - 9) if first else side >> (width - 8)
    parts = header.channels * (2 if first else 1)
    size = 59 if first else 63  # bits of side information for each granule of each channel; they stand last
    taken = sum(side >> (size * part + size - 12) & 0xFFF for part in range(parts))
    carried = header.length - end
    return Bits(back, carried, back + carried - (taken + 7) // 8)


def is_index(mp3: bytes, header: Header) -> bool:
    """Whether the frame is a Xing, Info or VBRI index: silence that no decoder should play."""
    mark = header.side_start + header.side_bytes
    return mp3[mark : mark + 4] in _MARKS or mp3[_VBRI_OFFSET : _VBRI_OFFSET + 4] == b"VBRI"
