"""Where a text may be cut: between its words, and between the letters of scripts that leave no spaces."""

import re
import unicodedata
from functools import lru_cache

# Thai to Khmer, kana, the ideographs and their extensions: a sentence of these would be one single word.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_UNSPACED}][\u0300-\u036f\u0e31-\u0e4e]*|[^\s{_UNSPACED}]+")
_SIGNS = frozenset("%&@#+=$€£¥§°")  # said as words of their own


@lru_cache(maxsize=256)
def spans(text: str) -> tuple[tuple[int, int], ...]:
    """Where each word stands: its first character and the one behind its last; punctuation belongs to it."""
    return tuple(match.span() for match in _TOKEN.finditer(text))


def is_said(text: str) -> bool:
    """Whether a voice has anything to say of it: dots and dashes alone are silence."""
    return any(letter.isalnum() or letter in _SIGNS for letter in text)


def is_boundary(text: str, characters: int) -> bool:
    """Whether the first so many characters are whole words."""
    return not any(start < characters < end for start, end in spans(text))


def whole_words(text: str, characters: int) -> int:
    """At most so many characters, without the word that they would cut."""
    for start, end in spans(text):
        if start < characters < end:
            return start
    return min(characters, len(text))


def key(word: str) -> str:
    """What two spellings of one word have in common: no case, no punctuation, no typographic forms."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(letter for letter in folded if letter.isalnum() or letter in _SIGNS)
