"""From a vendor's timing of characters to places in our text, whatever the vendor made of the text.

A vendor may spell numbers out, straighten quotes or swallow blanks. So words are matched and not positions:
as long as word follows word each is a place, and what does not match is passed over until both meet again.
A stop behind a word takes time of its own, which may be a long pause: the letters before it are a place too.
"""

import re
from collections.abc import Iterator, Sequence

from app.speech.port import Spoken
from app.speech.words import key, spans

# Words of our text among which one of the vendor's is looked for after they have parted.
LOOK_AHEAD = 4
LONGEST_WORD = 200  # characters: a vendor's that goes on without a blank is none of ours, and not kept
SURE = 4  # letters: a shorter word meets its like by chance, and two must then follow each other

Timed = tuple[str, float]  # a word, and the ms where it ends
STOPS = re.compile(r"[^\w]+$")


class Alignment:
    """One sentence's; fed with what comes, in order, gives a place for each word that is found."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans = spans(text)
        self._keys = [key(text[start:end]) for start, end in self._spans]
        self._next = 0  # our word that is due
        self._word = ""  # of the vendor's, as far as it has come
        self._letters_end_ms = self._word_ends_ms = 0.0
        self._strange: Timed | None = None  # the vendor's last word, if it was not found

    def feed(
        self, characters: Sequence[str], starts_ms: Sequence[float], durations_ms: Sequence[float]
    ) -> Iterator[Spoken]:
        """Characters with their times, counted from the sentence's first sample."""
        for character, start_ms, duration_ms in zip(characters, starts_ms, durations_ms, strict=False):
            if character.isspace() or not character:
                yield from self._end_word()
                continue
            # A letter that is a word by itself ends the one before it.
            if len(self._word) >= LONGEST_WORD or len(spans(self._word + character)) > 1:
                yield from self._end_word()
            self._word += character
            self._word_ends_ms = start_ms + duration_ms
            if key(character):
                self._letters_end_ms = self._word_ends_ms
        # Vendors end with a blank, but they need not.
        if self._next == len(self._keys) - 1 and key(self._word) == self._keys[-1]:
            yield from self._end_word()

    def _end_word(self) -> Iterator[Spoken]:
        word, self._word = key(self._word), ""
        if word and (found := self._find(word)) is not None:
            self._next, self._strange = found + 1, None
            start, end = self._spans[found]
            letters = len(STOPS.sub("", self._text[start:end]))
            if start + letters < end and self._letters_end_ms < self._word_ends_ms:
                yield Spoken(start + letters, self._letters_end_ms)
            yield Spoken(end, self._word_ends_ms)
        elif word:
            self._strange = (word, self._word_ends_ms)

    def _find(self, word: str) -> int | None:
        """Which of our words it is."""
        while self._next < len(self._keys) and not self._keys[self._next]:
            self._next += 1  # a dash by itself is not timed
        if self._keys[self._next : self._next + 1] == [word]:
            return self._next
        for ours in range(self._next + 1, min(self._next + 1 + LOOK_AHEAD, len(self._keys))):
            if self._keys[ours] == word and (len(word) >= SURE or self._follows(ours)):
                return ours
        return None

    def _follows(self, ours: int) -> bool:
        """Whether the word before it was met just now as well, though it was not believed."""
        return self._strange is not None and self._strange[0] == self._keys[ours - 1]
