"""Does a transcript sound finished? English rules of thumb, for how long a silence is waited out."""

import re
from collections.abc import Collection
from enum import Enum

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Nobody ends a sentence with these. Left out, though they may hang: "in", "on", "for" ("what for"), "that".
_HANGING = _set(
    "a an the and or but nor because so if when while than as with from of at by into about to like well "
    "my your our their his its is am are was were be um uh er erm hmm "
    "i'm i'd i'll i've it's we're we'd they're you're"
)
# A whole answer by itself, wherever it stands at the end.
_ANSWERS = _set("yes yeah yep no nope okay ok sure correct right thanks bye goodbye please stop help")
_DIGITS = _set("zero oh one two three four five six seven eight nine")
_NUMBER_HANGS = _set(
    "twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million point dash double triple "
    "plus number area code"
)
_WHOLE_NUMBER = 7  # digits; the shortest telephone number, below it more are awaited


class Completeness(Enum):
    """How a transcript stands at its end."""

    FINISHED = "finished"
    OPEN = "open"  # nothing tells, or nothing was understood
    UNFINISHED = "unfinished"  # more words, or more digits, must follow


def completeness(text: str, phrases: Collection[str] = ()) -> Completeness:
    """Judge the words of an utterance so far; `phrases` (lower case) are whole things likely to be said."""
    words = WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    if not words:
        return Completeness.OPEN
    if words[-1] in _HANGING or text.rstrip().endswith((",", "...", "-", "\N{HORIZONTAL ELLIPSIS}")):
        return Completeness.UNFINISHED
    if _ends_with(words, phrases) or words[-1] in _ANSWERS:
        return Completeness.FINISHED
    if _number_is_half_said(words):
        return Completeness.UNFINISHED
    return Completeness.FINISHED if text.rstrip().endswith((".", "?", "!")) else Completeness.OPEN


def _ends_with(words: list[str], phrases: Collection[str]) -> bool:
    for phrase in phrases:
        wanted = WORD.findall(phrase)
        before, last = words[: -len(wanted)], words[-len(wanted) :]
        # "two" is no menu's answer at the end of "oh one seven two".
        if wanted and last == wanted and not (wanted[0] in _DIGITS and before and before[-1] in _DIGITS):
            return True
    return False


def _number_is_half_said(words: list[str]) -> bool:
    """One digit is an answer and seven a telephone number; between them somebody is still reading aloud."""
    if words[-1] in _NUMBER_HANGS:
        return True
    digits = 0
    for word in reversed(words):
        if word in _DIGITS:
            digits += 1
        elif word.isdigit():
            digits += len(word)
        else:
            break
    return 1 < digits < _WHOLE_NUMBER and not (words[-1].isdigit() and len(words[-1]) == digits)
