"""ElevenLabs' timing of characters on a multi-context socket, as places in the sentence that it was given."""

import re
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from app.speech.port import Piece, Spoken

_FORMAT = re.compile(r"(?P<kind>mp3|pcm|ulaw)_(?P<rate>\d+)(?:_(?P<kbit>\d+))?")


class Timing(msgspec.Struct):
    """Characters and their ms, which begin anew with every message; both spellings have been seen."""

    chars: list[str] = []
    char_start_times_ms: list[float] = msgspec.field(default_factory=list, name="charStartTimesMs")
    char_durations_ms: list[float] = msgspec.field(default_factory=list, name="charDurationsMs")
    chars_start_times_ms: list[float] = msgspec.field(default_factory=list, name="charsStartTimesMs")
    chars_durations_ms: list[float] = msgspec.field(default_factory=list, name="charsDurationsMs")

    def ends_ms(self) -> Iterator[tuple[str, float]]:
        """Each character with where it ends."""
        starts = self.char_start_times_ms or self.chars_start_times_ms
        durations = self.char_durations_ms or self.chars_durations_ms
        times = zip(self.chars, starts, durations, strict=False)
        return ((character, start + duration) for character, start, duration in times)


_decode = msgspec.json.Decoder(Timing | None).decode


def bytes_per_ms(audio_format: str) -> float:
    """How much audio a millisecond is; `mp3_*` has a constant bit rate, a tag of 45 bytes does not matter."""
    match = _FORMAT.fullmatch(audio_format)
    if match is None:
        return 8.0
    if match["kind"] == "mp3":
        return int(match["kbit"] or 128) / 8
    return int(match["rate"]) * (2 if match["kind"] == "pcm" else 1) / 1000


class Timeline:
    """One sentence's audio with its places; silent from the first character that is not the sentence's."""

    def __init__(self, text: str, audio_format: str) -> None:
        self._text = text
        self._at = len(text) - len(text.lstrip())  # characters that were met
        self._lost = False
        self._until_ms = 0.0
        self._bytes = 0
        self._bytes_per_ms = bytes_per_ms(audio_format)

    def place(self, audio: bytes, timing: bytes = b"") -> Iterator[Piece]:
        """A message's audio, behind the places in it: the ends of words, and of the message.

        A timing that cannot be read is none: audio is worth more than its place.
        """
        began_ms = self._bytes / self._bytes_per_ms
        self._bytes += len(audio)
        if (read := _read(timing)) is not None:
            yield from self._places(began_ms, read)
        if audio:
            yield audio

    def _places(self, began_ms: float, timing: Timing) -> Iterator[Spoken]:
        met: list[Spoken] = []
        for character, end_ms in timing.ends_ms():
            if not self._meet(character):
                break
            if not character.isspace():
                self._until_ms = max(self._until_ms, began_ms + end_ms)
                met.append(Spoken(self._at, self._until_ms))
        for spoken, after in pairwise(met):
            if after.characters > spoken.characters + 1:  # blanks lie between
                yield spoken
        yield from met[-1:]

    def _meet(self, character: str) -> bool:
        """Whether the text goes on with `character`, blanks aside."""
        if self._lost or character.isspace():
            return not self._lost
        at = self._at
        while at < len(self._text) and self._text[at].isspace():
            at += 1
        self._lost = not self._text.startswith(character, at)
        if not self._lost:
            self._at = at + len(character)
        return not self._lost


def _read(timing: bytes) -> Timing | None:
    try:
        return _decode(timing) if timing else None
    except (msgspec.DecodeError, RecursionError):
        return None
