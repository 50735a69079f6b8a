"""Word timings of a vendor, found again in the text that it was given."""

import re
from collections import deque

from app.speech.port import Spoken

BACKWARDS_S = 0.05  # seconds that a word may begin before the one ahead of it: vendors round
WORD = re.compile(r"\w+")


class WordTimes:
    """Of one sentence: takes audio and words as they come, tells by `due` how far both agree.

    Claims too little rather than too much: what is claimed as said is never said again. A word that is not
    the next one in the text (a number spelled out) claims nothing; the text goes on with the next word that
    fits, unless that would pass over more words than were missed. Times that begin anew end all claims.
    """

    def __init__(self, text: str, *, bytes_per_s: int) -> None:
        lower = text.lower()
        self._text = lower if len(lower) == len(text) else text  # some letters grow by it
        self._bytes_per_ms = bytes_per_s / 1000
        self._received_ms = 0.0
        self._at = 0  # characters found so far
        self._missed = 0  # words of the vendor's since then
        self._latest_s = 0.0
        self._until_ms = 0.0
        self._claims: deque[Spoken] = deque()

    def audio(self, chunk: bytes) -> None:
        self._received_ms += len(chunk) / self._bytes_per_ms

    def word(self, word: str, start_s: float, end_s: float, *, certain: bool = True) -> None:
        """The next word that the audio says; one that is not `certain` yet will be told again."""
        if start_s < self._latest_s - BACKWARDS_S:
            self._latest_s = float("inf")
            return
        if not (end := self._find(word) if certain else 0):
            self._missed += bool(WORD.search(word))
            return
        self._at, self._missed = end, 0
        self._latest_s = max(self._latest_s, start_s)
        self._until_ms = max(self._until_ms, end_s * 1000)
        self._claims.append(Spoken(end, self._until_ms))

    def due(self) -> Spoken | None:
        """The furthest claim whose audio has come whole, if it is news."""
        claim = None
        while self._claims and self._claims[0].until_ms <= self._received_ms:
            claim = self._claims.popleft()
        return claim

    def whole(self) -> Spoken:
        """All is said: for the end that the vendor itself has told."""
        return Spoken(len(self._text), max(self._received_ms, self._until_ms))

    def _find(self, word: str) -> int:
        """Where `word` ends in the text, with the marks that cling to it; 0 when that is unclear."""
        parts = list(WORD.finditer(word))
        bare = word[parts[0].start() : parts[-1].end()].lower() if parts else ""
        start = self._text.find(bare, self._at)
        if not bare or start < 0:
            return 0
        passed_over = len(WORD.findall(self._text[self._at : start]))
        end = start + len(bare)
        if passed_over > self._missed or (passed_over and self._inside_a_word(start, end)):
            return 0
        while end < len(self._text) and not (self._text[end].isspace() or self._text[end].isalnum()):
            end += 1
        return end

    def _inside_a_word(self, start: int, end: int) -> bool:
        return self._text[start - 1].isalnum() or self._text[end : end + 1].isalnum()
