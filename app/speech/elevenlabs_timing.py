"""ElevenLabs' timing of characters, message by message, as places in the sentence that it was given."""

import re
from collections.abc import Iterator

import msgspec

from app.speech.alignment import Alignment
from app.speech.port import Piece

_FORMAT = re.compile(r"(?P<kind>mp3|pcm|ulaw)_(?P<rate>\d+)(?:_(?P<kbit>\d+))?")


class Timing(msgspec.Struct):
    """Characters and their ms, which begin anew with every message; both spellings have been seen."""

    chars: list[str] = []
    char_start_times_ms: list[float] = msgspec.field(default_factory=list, name="charStartTimesMs")
    char_durations_ms: list[float] = msgspec.field(default_factory=list, name="charDurationsMs")
    chars_start_times_ms: list[float] = msgspec.field(default_factory=list, name="charsStartTimesMs")
    chars_durations_ms: list[float] = msgspec.field(default_factory=list, name="charsDurationsMs")


_decode = msgspec.json.Decoder(Timing | None).decode


def bytes_per_ms(audio_format: str) -> float:
    """How much audio a millisecond is: `mp3_*` has a constant bit rate, a tag of 45 bytes does not matter."""
    match = _FORMAT.fullmatch(audio_format)
    if match is None:
        return 8.0
    if match["kind"] == "mp3":
        return int(match["kbit"] or 128) / 8
    return int(match["rate"]) * (2 if match["kind"] == "pcm" else 1) / 1000


class Timeline:
    """One sentence's audio with its places."""

    def __init__(self, text: str, audio_format: str) -> None:
        self._alignment = Alignment(text)
        self._bytes_per_ms = bytes_per_ms(audio_format)
        self._bytes = 0

    def place(self, audio: bytes, *timings: bytes) -> Iterator[Piece]:
        """A message's audio, behind the places in it; of several timings the first that there is counts.

        A timing that cannot be read is none: audio is worth more than its place.
        """
        began_ms = self._bytes / self._bytes_per_ms
        self._bytes += len(audio)
        timing = next(filter(None, map(_read, timings)), None)
        if timing is not None:
            starts = timing.char_start_times_ms or timing.chars_start_times_ms
            durations = timing.char_durations_ms or timing.chars_durations_ms
            yield from self._alignment.feed(timing.chars, [began_ms + start for start in starts], durations)
        if audio:
            yield audio


def _read(timing: bytes) -> Timing | None:
    try:
        return _decode(timing) if timing else None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
