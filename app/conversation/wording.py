"""What was said, brought to a form in which wordings can be compared."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise


def word_set(*lines: str) -> frozenset[str]:
    """The words of some lines of text, for the constants of this room."""
    return frozenset(" ".join(lines).split())


NUMBERS = {
    name: digit
    for digit, names in {
        "0": "zero oh o nought",
        "1": "one",
        "2": "two",
        "3": "three",
        "4": "four",
        "5": "five",
        "6": "six",
        "7": "seven",
        "8": "eight",
        "9": "nine",
    }.items()
    for name in names.split()
}
# Only where nothing but a number can be meant: recognisers write what is more frequent.
HOMOPHONES = {"won": "1", "to": "2", "too": "2", "tree": "3", "for": "4", "fore": "4", "ate": "8"}
SPOKEN = {"0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six"} | {
    "7": "seven",
    "8": "eight",
    "9": "nine",
    "*": "star",
    "#": "pound",
}
KEY_NAMES = {"star": "*", "asterisk": "*", "pound": "#", "hash": "#"}
NAMES_OF_A_KEY = word_set("number option press key choice")
AROUND_A_NUMBER = NAMES_OF_A_KEY | word_set("the please uh um i want take choose select")
TIMES = {"double": 2, "triple": 3}

YES = ("yes", "yeah", "yep", "yes please", "sure", "of course", "okay", "correct", "that's right")
NO = ("no", "nope", "no thanks", "no thank you", "not really", "not now", "wrong")

LEAD_IN = re.compile(
    r"^(?:(?:um|uh|well|so|hi|hello)\b[\s,]*)*"
    r"(?:(?:my name is|my name's|the name is|i am|i'm|it is|it's|its|this is|that's|that is)\s+)?",
    re.IGNORECASE,
)

BACKCHANNELS = word_set(
    "uh huh mhm mm hmm hm mmm ok okay right yeah yes yep yup sure alright all i see got it really wow oh ah",
    "aha cool great nice good fine um",
)
# Backchannels only together with their neighbour.
PAIRS = frozenset({("i", "see"), ("got", "it"), ("all", "right")})
NEVER_ALONE = frozenset({"i", "see", "got", "it", "all"})


class _Blanks(dict[int, str]):
    """A table for `str.translate` that is made as characters are met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        spelling = char.isalnum() or unicodedata.category(char).startswith("M") or char in "*#"
        self[code] = char if spelling else " "
        return self[code]


_BLANKS = _Blanks()


def plain(text: str) -> str:
    """Lower case words with single blanks: no punctuation, no accents, apostrophes closed up."""
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(char for char in bare if not unicodedata.combining(char))
    return " ".join(re.sub(r"['’`]", "", bare).translate(_BLANKS).split())  # noqa: RUF001 - apostrophes


def is_backchannel(text: str) -> bool:
    """Whether this only says `I am listening`: `uh-huh`, `okay`, `yeah, right`."""
    words = plain(text).split()
    pairs = PAIRS.intersection(pairwise(words))
    alone = [word for word in words if not any(word in pair for pair in pairs)]
    return bool(words) and BACKCHANNELS.issuperset(words) and NEVER_ALONE.isdisjoint(alone)


def spoken_key(text: str) -> str | None:
    """The one key that is meant by `two`, `number 2`, `press star`; None when more or less was said."""
    words = plain(text).split()
    core = [word for word in words if word not in AROUND_A_NUMBER]
    if len(core) != 1:
        return None
    if core[0] in HOMOPHONES:
        named = len(words) == 1 or words[words.index(core[0]) - 1] in NAMES_OF_A_KEY
        return HOMOPHONES[core[0]] if named else None
    return _key(core[0])


def spoken_digits(text: str) -> str:
    """The digits of a dictated number: `double five, oh 1 2` is 55012; what is no digit is left out."""
    digits, times = "", 1
    for word in plain(text).split():
        if word in TIMES:
            times = TIMES[word]
            continue
        met = word if word.isascii() and word.isdecimal() else NUMBERS.get(word, "")
        digits += met * times
        times = 1
    return digits


def without_lead_in(text: str) -> str:
    """The answer itself: `it's Anna`, `my name is Anna` and `Anna.` are all Anna."""
    return LEAD_IN.sub("", text.strip()).strip(" .,!?")


def enumerated(words: Sequence[str], joint: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`, as one says it."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def _key(word: str) -> str | None:
    if len(word) == 1 and (word.isdecimal() or word in "*#"):
        return word
    return NUMBERS.get(word) or KEY_NAMES.get(word)
