"""Tells by its first bytes what a vendor really sent, so that an error page or another format is never noise.

Genuine PCM and mu-law may begin with any bytes: a verdict against them needs a whole header, or 64 bytes of
text. A verdict depends on the bytes alone: more of them never change it.
"""

import codecs
import re
from enum import StrEnum

from app.audio import mpeg
from app.audio.mp3_frames import ID3V2_BYTES, id3v2_length

_TEXT_BYTES = 64
_SPACES = "\t\n\r\ufeff"  # with the byte order mark that some servers send first
# JSON, markup, or three words: what bodies begin with, and samples practically never.
_BODY = re.compile(
    r"""\s*(?:\{\s*["}] | \[\s*[\[{"\]] | <[!?a-z] | [a-z]{2,}[\s:,.-]+[a-z0-9]+[\s:,.-]+[a-z0-9])""",
    re.IGNORECASE | re.VERBOSE,
)
_WAV_BYTES = 12
_PROOF_FRAMES = 3


class Content(StrEnum):
    """What bytes are."""

    MP3 = "mp3"
    WAV = "wav"
    TEXT = "text"
    PCM = "pcm"
    MULAW = "ulaw"


def sniff(head: bytes, named: Content, *, ended: bool) -> Content | None:
    """What a stream is that was asked for as `named` and begins with `head`; None until that is certain."""
    verdicts = [(Content.WAV, _is_wav(head))]
    if named is not Content.MP3:  # whose decoder plays nothing that is not MP3
        verdicts += [(Content.MP3, _is_mp3(head, ended)), (Content.TEXT, _is_text(head, ended))]
    for content, verdict in verdicts:
        if verdict:
            return content
    return None if not ended and any(verdict is None for _, verdict in verdicts) else named


def _is_wav(head: bytes) -> bool | None:
    if len(head) < _WAV_BYTES:
        return None if b"RIFF".startswith(head[:4]) else False
    return head.startswith(b"RIFF") and head[8:12] == b"WAVE"


def _is_mp3(head: bytes, ended: bool) -> bool | None:
    """Certain with a whole ID3v2 header, or with three frames that follow each other or fill the stream."""
    if b"ID3".startswith(head[:3]):
        return None if len(head) < ID3V2_BYTES else id3v2_length(head) is not None
    at, first = 0, None
    for _ in range(_PROOF_FRAMES):
        if len(head) < at + mpeg.HEADER_BYTES:
            return first is not None and at == len(head) if ended else _may_go_on(head[at:])
        header = mpeg.parse(head[at : at + mpeg.HEADER_BYTES])
        if header is None or (first and not header.akin(first)):
            return False
        first = header
        at += header.length
    return True


def _may_go_on(beginning: bytes) -> bool | None:
    return None if beginning[:1] in (b"", b"\xff") else False


def _is_text(head: bytes, ended: bool) -> bool | None:
    window = head[:_TEXT_BYTES]
    whole = len(window) == _TEXT_BYTES
    try:
        text, _ = codecs.utf_8_decode(window, "strict", ended and not whole)
    except UnicodeDecodeError:
        return False
    if not all(letter.isprintable() or letter in _SPACES for letter in text):
        return False
    return bool(_BODY.match(text.lstrip("\ufeff"))) if whole or ended else None
