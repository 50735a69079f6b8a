"""Cuts text, whole or as it streams in, into the sentences that are given to synthesis one by one.

A missed cut costs a little waiting, a wrong one is heard as a pause in the middle of a name: when in doubt
there is no cut. One character is read at a time and a cut is made by the first character that proves it,
so the pieces cannot depend on how the text was fed, and the whole is linear in its length.
"""

# ruff: noqa: RUF001 - punctuation that looks alike is what this is about

import unicodedata
from collections import deque
from dataclasses import dataclass
from itertools import takewhile

LONGEST = 250  # characters of one piece, blanks at its ends apart: some 15 s of speech, and the wait for it
LEAST_CLAUSE = LONGEST // 3  # a cut at a comma earlier than this would only chop

WEAK_STOPS = frozenset(".!?…．！？")  # end a sentence when a blank follows; the wide ones without
FULL_STOPS = frozenset("。！？｡؟۔।॥։።፧")  # end a sentence whatever follows
STOPS = WEAK_STOPS | FULL_STOPS
CLOSERS = frozenset("\"'”’»›)]}」』）】》〉”")
OPENERS = frozenset("“‘«‹([{「『（【《〈¿¡")
QUOTES = frozenset("\"'”’»›」』")
LINE_ENDS = frozenset("\n\u2028\u2029")
CLAUSES = frozenset(",;:—–،؛")  # followed by a blank
WIDE_CLAUSES = frozenset("，、；：")  # whatever follows
JOINERS = frozenset(",;:، /@&=")  # straight after a stop they carry the sentence on: `etc., and`


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Words with a stop, here without it. Never the end of a sentence.
TITLES = _words(
    "mr mrs ms dr prof rev hon gen col capt lt sgt st messrs mme mlle hr fr sra srta ",
    "vs viz cf approx e.g i.e eg ie bzw z.b d.h ca tel ext dept incl г ул д",
)
# The end of a sentence only when a word follows that opens one.
OFTEN_LAST = _words("a.m p.m am pm u.s u.k u.n e.u etc inc ltd co corp jr sr ph.d b.a m.a bros usw")
# Not the end of a sentence before a number.
NUMBERED = _words(
    "no nos nr art p pp vol fig sec ch jan feb mar apr jun jul aug sep sept oct nov dec",
)
SENTENCE_OPENERS = _words(
    "the a an it he she they we i you this that these those there here please but and so if our your my his",
    "her their its thank thanks what how when where why who which is are was were do does did can could will",
    "would should may in on at to for from with as after before then now yes no not let press say stay hello",
    "goodbye sorry however also all each every some many once",
)

ZERO_WIDTH_JOINER = "\u200d"
SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
REGIONAL = ("\U0001f1e6", "\U0001f1ff")
JAMO_TAILS = ("\u1160", "\u11ff")
TAGS = ("\U000e0020", "\U000e007f")


def split_sentences(text: str) -> list[str]:
    """Cut a whole text; the pieces joined are the text, and none is blank unless all of it is."""
    cutter = SentenceCutter()
    return cutter.feed(text) + cutter.finish()


@dataclass(slots=True)
class _Gap:
    """Where a sentence may have ended, and what has come since."""

    start: int  # the first stop, or the line end
    end: int  # behind the stops and what closes with them
    blank: bool = False  # a blank was met
    word: int | None = None  # where the next word starts


class SentenceCutter:
    """Cuts text that arrives in pieces of any size, each sentence as soon as it is certain."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._begin_piece()

    def feed(self, text: str) -> list[str]:
        """Take more text; returns the sentences that it completes."""
        pieces = []
        coming = deque(text)
        while coming:
            self._held.append(coming.popleft())
            if cut := self._read():
                pieces.append("".join(self._held[:cut]))
                coming.extendleft(reversed(self._held[cut:]))
                self._held.clear()
                self._begin_piece()
        return pieces

    def finish(self) -> list[str]:
        """The text has ended; returns what is left of it, and can be fed anew."""
        cut = 0
        if self._gap is not None and self._gap.word is not None:
            cut = self._cut_at(self._gap)
        pieces = ["".join(self._held[:cut]), "".join(self._held[cut:])]
        self._held.clear()
        self._begin_piece()
        return [piece for piece in pieces if piece]

    def _begin_piece(self) -> None:
        self._first: int | None = None  # the first character that is not blank
        self._spoken = False  # something can be said: a letter or a digit
        self._clause = 0  # where the text behind the last clause starts
        self._space = 0  # where the last word starts
        self._gap: _Gap | None = None

    def _read(self) -> int:
        """Where the piece ends that the newest character proves to be complete, or 0."""
        at = len(self._held) - 1
        char = self._held[at]
        if char.isspace():
            return self._read_blank(at, char)
        if self._first is None:
            self._first = at
        else:
            self._note_candidates(at)
        if cut := self._read_gap(at, char):
            return cut
        self._spoken = self._spoken or char.isalnum()
        if self._gap is None and char in STOPS and self._spoken:
            self._gap = _Gap(at, at + 1)
        return self._forced_cut(at) if at - self._first >= LONGEST else 0

    def _read_blank(self, at: int, char: str) -> int:
        gap = self._gap
        if gap is not None and gap.word is not None:
            if cut := self._cut_at(gap):
                return cut
            self._gap = gap = None
        if gap is not None:
            gap.blank = True
        elif char in LINE_ENDS and self._spoken:
            self._gap = _Gap(at, at, blank=True)
        return 0

    def _note_candidates(self, at: int) -> None:
        before = self._held[at - 1]
        if before in WIDE_CLAUSES:
            self._clause = at
        elif before.isspace():
            self._space = at
            start = at - 1
            while start and self._held[start].isspace() and at - start < 4:
                start -= 1
            if self._held[start] in CLAUSES:
                self._clause = at

    def _read_gap(self, at: int, char: str) -> int:
        """Go on with a possible end of sentence; 0 while it is open, or when it was none."""
        gap = self._gap
        if gap is None:
            return 0
        if gap.word is not None:
            if char.isalnum() or char in "'’":
                return 0
            cut = self._cut_at(gap)
            self._gap = None
            return cut
        if char.isalnum():
            return self._read_word_start(gap, at, char)
        if not gap.blank:
            if gap.end == at and (char in STOPS or char in CLOSERS or not _may_break("", char)):
                gap.end = at + 1
            elif char in JOINERS:
                self._gap = None
        return 0

    def _read_word_start(self, gap: _Gap, at: int, char: str) -> int:
        gap.word = at
        stops = self._held[gap.start : gap.end]
        if not gap.blank and not FULL_STOPS.intersection(stops):
            self._gap = None
            return 0
        ends = _ends(self._before(gap), stops, self._held[gap.end : at], char)
        if ends is None:
            return 0  # the whole next word will tell
        self._gap = None
        return self._place(gap, at) if ends else 0

    def _cut_at(self, gap: _Gap) -> int:
        """Decide by the whole next word, which has just ended."""
        assert gap.word is not None
        word = "".join(takewhile(str.isalnum, self._held[gap.word :]))  # `It` of `It's`
        return self._place(gap, gap.word) if word[0].isupper() and word.lower() in SENTENCE_OPENERS else 0

    def _place(self, gap: _Gap, word: int) -> int:
        """The first character of the next piece, somewhere from the stop to the next word."""
        for at in range(word - 1, gap.end - 1, -1):
            if self._held[at] in LINE_ENDS:
                return at + 1
        for at in range(gap.end, word):
            if self._held[at] in OPENERS and (at == gap.end or self._held[at - 1].isspace()):
                return at
        for at in range(word - 1, gap.end - 1, -1):
            if self._held[at].isspace():
                return at + 1
        return gap.end

    def _before(self, gap: _Gap) -> str:
        """The word that the stop ends; with a leading line end where it is the first of the piece."""
        start = gap.start
        while start and not self._held[start - 1].isspace() and self._held[start - 1] not in OPENERS:
            start -= 1
        first = start <= (self._first or 0) or self._held[start - 1] in LINE_ENDS
        return ("\n" if first else "") + "".join(self._held[start : gap.start])

    def _forced_cut(self, at: int) -> int:
        """No sentence has ended for too long: behind a clause, else between words, else between letters."""
        first = self._first or 0
        if self._clause - first >= LEAST_CLAUSE:
            return self._clause
        if self._space > first:
            return self._space
        for cut in range(at, first + LONGEST // 2, -1):
            if _may_break(self._held[cut - 1], self._held[cut]):
                return cut
        return at


def _ends(before: str, stops: list[str], between: list[str], after: str) -> bool | None:
    """Whether a sentence ended between two words; None when the whole next word has to be known."""
    if sum(char in LINE_ENDS for char in between) > 1:
        return True  # a blank line
    lower = after.islower()
    if not stops:  # a line end alone: a list goes on with a bullet, a wrapped line in lower case
        return not lower or any(not char.isspace() for char in between)
    if lower and (QUOTES.intersection(stops) or "…" in stops or stops.count(".") > 1):
        return False  # "stop!" he said; well... maybe
    if stops[0] != "." or stops.count(".") > 1:
        return True
    return _ends_with_dot(before, after)


def _ends_with_dot(before: str, after: str) -> bool | None:
    word = before.strip("\n\"'“‘-–—*_").lower()
    if word in TITLES:
        return False
    if before.startswith("\n") and word.isdigit():
        return False  # `1. First`: the number of a list
    if word in NUMBERED and after.isdigit():
        return False
    if word in OFTEN_LAST or _is_initials(word):
        return None if after.isupper() else False
    return True


def _is_initials(word: str) -> bool:
    """`j`, `u.s.s.r`: single letters with stops between them (the last stop is not part of the word)."""
    return len(word) % 2 == 1 and word[::2].isalpha() and not word[1::2].strip(".")


def _may_break(before: str, after: str) -> bool:
    """Whether two neighbours are seen as two characters by a reader."""
    if unicodedata.category(after).startswith("M") or ZERO_WIDTH_JOINER in (before, after):
        return False
    if any(low <= after <= high for low, high in (SKIN_TONES, JAMO_TAILS, TAGS)):
        return False
    # Flags are pairs; a run of them is cut before the first rather than through one.
    return not (before and REGIONAL[0] <= before <= REGIONAL[1] and REGIONAL[0] <= after <= REGIONAL[1])
