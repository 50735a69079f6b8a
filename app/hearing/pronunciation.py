"""How words are said that no dictionary has: names of artists and towns by rules, numbers and initials in words.

The rules are the usual ones of English spelling and know nothing of a name's origin. They are rough, but the
recogniser only has to tell a hotline's few phrases apart.
"""

import re
from typing import Final

ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
LONGEST_NUMBER: Final = 4  # digits; a longer one is read digit by digit

# The first rule whose letters and surroundings fit wins: letters before, letters, letters after, phones.
RULES: Final = tuple(
    (re.compile(f"(?<![^\\W_]){letters}" if start else letters), phones.split())
    for start, letters, phones in (
        (True, "kn", "N"), (True, "wr", "R"), (True, "ps", "S"), (True, "mc", "M AH K"), (True, "x", "Z"),
        (True, "y(?=[aeiou])", "Y"), (True, "the$", "DH AH"),
        (False, "tion", "SH AH N"), (False, "sion", "ZH AH N"), (False, "cious", "SH AH S"), (False, "ous$", "AH S"),
        (False, "augh", "AO"), (False, "ough", "AO"), (False, "igh", "AY"), (False, "eigh", "EY"),
        (False, "tch", "CH"), (False, "sch", "SH"), (False, "dge", "JH"), (False, "que$", "K"), (False, "qu", "K W"),
        (False, "ch", "CH"), (False, "ck", "K"), (False, "sh", "SH"), (False, "th", "TH"), (False, "ph", "F"),
        (False, "wh", "W"), (False, "gh", "G"), (False, "ng$", "NG"), (False, "ng(?=[^aeiouy])", "NG"),
        (False, "nk", "NG K"), (False, "mb$", "M"),
        (False, "air", "EH R"), (False, "ear", "IH R"), (False, "eer", "IH R"), (False, "ier", "IH R"),
        (False, "oor|our|oar", "AO R"), (False, "ar", "AA R"), (False, "or", "AO R"), (False, "er|ir|ur", "ER"),
        (False, "ee|ea|ie(?=[^$])", "IY"), (False, "ai|ay|ei|ey(?=.)", "EY"), (False, "ey$|ie$", "IY"),
        (False, "oa|oe$", "OW"), (False, "oo", "UW"), (False, "ou", "AW"), (False, "ow$", "OW"), (False, "ow", "AW"),
        (False, "oi|oy", "OY"), (False, "au|aw", "AO"), (False, "ew|eu|ue$", "UW"),
        (False, "a(?=[^aeiouwxy]e$)", "EY"), (False, "e(?=[^aeiouwxy]e$)", "IY"), (False, "i(?=[^aeiouwxy]e$)", "AY"),
        (False, "o(?=[^aeiouwxy]e$)", "OW"), (False, "u(?=[^aeiouwxy]e$)", "UW"),
        (False, "(?<=[aeiou][^aeiou])e$", ""), (False, "e$", "IY"), (False, "(?<=[^aeiou])es$", "Z"),
        (False, "a$", "AH"), (False, "i$", "IY"), (False, "o$", "OW"), (False, "u$", "UW"), (False, "y$", "IY"),
        (False, "([bcdfgklmnprstz])(?=\\1)", ""),
        (False, "c(?=[eiy])", "S"), (False, "g(?=[eiy])", "JH"), (False, "x", "K S"), (False, "j", "JH"),
        (False, "a", "AE"), (False, "e", "EH"), (False, "i|y", "IH"), (False, "o", "AA"), (False, "u", "AH"),
        (False, "b", "B"), (False, "c|k|q", "K"), (False, "d", "D"), (False, "f", "F"), (False, "g", "G"),
        (False, "h", "HH"), (False, "l", "L"), (False, "m", "M"), (False, "n", "N"), (False, "p", "P"),
        (False, "r", "R"), (False, "s", "S"), (False, "t", "T"), (False, "v", "V"), (False, "w", "W"), (False, "z", "Z"),
    )
)  # fmt: skip
ACCENTS: Final = str.maketrans("àáâãäåçèéêëìíîïñòóôõöøùúûüýÿß", "aaaaaaceeeeiiiinoooooouuuuyys")
UNSAID: Final = "AH"  # for a word without a letter that we can read


def pronounce(word: str) -> str:
    """The phones of a word that the dictionary lacks, as ARPAbet."""
    letters = re.sub("[^a-z]", "", word.lower().translate(ACCENTS))
    phones: list[str] = []
    at = 0
    while at < len(letters):
        at, said = _next(letters, at)
        phones += said
    return " ".join(phones) or UNSAID


def spell_out(word: str) -> str:
    """A number in words; any other word as it is."""
    if not (word.isascii() and word.isdigit()):
        return word
    if len(word) > LONGEST_NUMBER or word.startswith("0"):
        return " ".join(ONES[int(digit)] for digit in word)
    return _number(int(word))


def _next(letters: str, at: int) -> tuple[int, list[str]]:
    for rule, phones in RULES:
        if met := rule.match(letters, at):
            return met.end(), phones
    return at + 1, []


def _number(value: int) -> str:
    if value < 20:
        return ONES[value]
    if value < 100:
        return " ".join([TENS[value // 10 - 2], *([ONES[value % 10]] if value % 10 else [])])
    if value >= 1100 and value % 1000 >= 100 or value >= 10_000:  # years: nineteen ninety nine
        rest = value % 100
        return f"{_number(value // 100)} {_number(rest) if rest > 9 else 'hundred' if not rest else 'oh ' + ONES[rest]}"
    size, name = (1000, "thousand") if value >= 1000 else (100, "hundred")
    return " ".join([ONES[value // size], name, *([_number(value % size)] if value % size else [])])
