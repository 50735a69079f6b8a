"""What was said on a call, as far as it was heard: an interrupted reply counts up to the last whole word."""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

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


def split_heard(
    text: str, played_ms: float, total_ms: float | None = None, places: Sequence[tuple[int, float]] = ()
) -> tuple[str, str]:
    """The part of a sentence whose words were played to their end, and the rest; joined they are the text.

    Args:
        total_ms: how long all of it takes; None while it is still being made.
        places: what a vendor told of it, in order: so many characters are said when so many media ms are
            played. Between two of them, and where there are none, the time is estimated.
    """
    if total_ms is not None and played_ms >= total_ms:
        return text, ""
    said_at_ms = _said_at(text, total_ms, places)
    heard = 0
    for word in re.finditer(r"\S+", text):
        # A word has been said before the pause that its stop makes.
        letters = len(re.sub(r"[\W_]+$", "", word.group()))
        if said_at_ms[word.start() + letters] > played_ms:
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


def _said_at(text: str, total_ms: float | None, places: Sequence[tuple[int, float]]) -> list[float]:
    """When the first 0, 1, 2 … characters have been said; media ms."""
    said_at = [0.0]
    whole = [] if total_ms is None else [(len(text), total_ms)]
    for characters, until_ms in (*places, *whole):
        ahead = text[len(said_at) - 1 : characters]
        if ahead and until_ms >= said_at[-1]:
            said_at += _spread(ahead, said_at[-1], (until_ms - said_at[-1]) / sum(map(_weight, ahead)))
    return said_at + _spread(text[len(said_at) - 1 :], said_at[-1], MS_PER_LETTER)


def _spread(text: str, began_ms: float, ms_per_letter: float) -> list[float]:
    """When each character has been said, if they follow each other at this pace."""
    return [began_ms + letters * ms_per_letter for letters in accumulate(map(_weight, text))]


def _weight(char: str) -> float:
    if char in ".!?…":
        return STOP_WEIGHT
    if char in ",;:—–":  # noqa: RUF001 - dashes are pauses too
        return CLAUSE_WEIGHT
    return DIGIT_WEIGHT if char.isdigit() else 1.0
