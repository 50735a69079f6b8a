"""What was said on a call, as far as it was heard: an interrupted reply counts up to the last whole word."""

import re
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import msgspec

CUT = " —"  # the sign behind a sentence that the caller cut short
KEPT = 200  # entries; an hour of talk, and the bound of a call's memory
# What a character takes to be said, in letters: pauses at stops, digits are whole words.
STOP_WEIGHT, CLAUSE_WEIGHT, DIGIT_WEIGHT = 6.0, 3.0, 4.0
MS_PER_LETTER = 65.0  # media ms; for a sentence whose length is not known yet, about 165 words a minute


class Speaker(StrEnum):
    """Who said it."""

    CALLER = "caller"
    BRIDGE = "bridge"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said and heard."""

    speaker: Speaker
    text: str
    cut: bool = False
    """The caller took the floor behind the last word."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """When each character of a sentence begins and ends in its audio, as a vendor told; media ms."""

    starts_ms: tuple[float, ...]
    ends_ms: tuple[float, ...]


def split_heard(
    text: str, played_ms: float, total_ms: float | None = None, alignment: Alignment | None = None
) -> tuple[str, str]:
    """The part of a sentence whose words were played to their end, and the rest; joined they are the text.

    Args:
        total_ms: how long all of it takes; None while it is still being made.
        alignment: used when it has one entry for every character of `text`; else the time is estimated.
    """
    if total_ms is not None and played_ms >= total_ms:
        return text, ""
    ends_ms = _ends(text, total_ms, alignment)
    heard = 0
    for word in re.finditer(r"\S+", text):
        if ends_ms[word.end() - 1] > played_ms:
            break
        heard = word.end()
    return text[:heard], text[heard:]


class History:
    """The last `kept` entries of one call."""

    def __init__(self, kept: int = KEPT) -> None:
        self._entries: deque[Entry] = deque(maxlen=kept)

    def caller_said(self, text: str) -> None:
        if text.strip():
            self._entries.append(Entry(Speaker.CALLER, text.strip()))

    def caller_pressed(self, digits: str) -> None:
        self._entries.append(Entry(Speaker.CALLER, f"[pressed {digits or '#'}]"))

    def bridge_said(self, sentence: str) -> None:
        """The phone has played all of `sentence`."""
        if sentence.strip():
            self._entries.append(Entry(Speaker.BRIDGE, sentence.strip()))

    def bridge_was_cut(self, heard: str) -> None:
        """The caller took the floor after `heard`, the first part of a sentence, or nothing of it."""
        if heard.strip():
            self._entries.append(Entry(Speaker.BRIDGE, heard.strip(), cut=True))
        elif self._entries and self._entries[-1].speaker is Speaker.BRIDGE:
            last = self._entries.pop()
            self._entries.append(Entry(Speaker.BRIDGE, last.text, cut=True))

    def snapshot(self) -> list[list[object]]:
        """The entries in values that JSON can hold."""
        return [[entry.speaker.value, entry.text, entry.cut] for entry in self._entries]

    def restore(self, written: object) -> None:
        """Take the entries of a snapshot; what cannot be read is left out."""
        try:
            entries = msgspec.convert(written, list[tuple[Speaker, str, bool]])
        except msgspec.ValidationError:
            return
        self._entries.clear()
        self._entries.extend(Entry(*entry) for entry in entries)

    def entries(self) -> list[Entry]:
        """Oldest first."""
        return list(self._entries)

    def messages(self) -> list[dict[str, str]]:
        """As a chat model wants it: `user` and `assistant` in turn, neighbours of one speaker joined."""
        messages: list[dict[str, str]] = []
        for entry in self._entries:
            role = "user" if entry.speaker is Speaker.CALLER else "assistant"
            text = entry.text + (CUT if entry.cut else "")
            if messages and messages[-1]["role"] == role:
                messages[-1]["content"] += f" {text}"
            else:
                messages.append({"role": role, "content": text})
        return messages


def _ends(text: str, total_ms: float | None, alignment: Alignment | None) -> list[float]:
    """When each character has been said."""
    if alignment is not None and len(alignment.ends_ms) == len(text):
        return list(alignment.ends_ms)
    ends, sum_so_far = [], 0.0
    for char in text:
        sum_so_far += _weight(char)
        ends.append(sum_so_far)
    scale = MS_PER_LETTER if total_ms is None else total_ms / (sum_so_far or 1.0)
    # A word has been said before the pause that its stop makes.
    pauses = [0.0 if char.isalnum() else _weight(char) for char in text]
    return [(end - pause) * scale for end, pause in zip(ends, pauses, strict=True)]


def _weight(char: str) -> float:
    if char in ".!?…":
        return STOP_WEIGHT
    if char in ",;:—–":  # noqa: RUF001 - dashes are pauses too
        return CLAUSE_WEIGHT
    return DIGIT_WEIGHT if char.isdigit() else 1.0
