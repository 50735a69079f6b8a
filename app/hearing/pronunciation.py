"""How words are said that no dictionary has: names of artists and towns by rules, numbers in words.

The rules are the usual ones of English spelling and know nothing of a name's origin. They are rough, but the
recogniser only has to tell a hotline's few phrases apart.
"""

import re
from typing import Final

ONES: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
LONGEST_NUMBER: Final = 4  # digits; a longer one is read digit by digit

# Letters as a regular expression, and their phones. The first rule that fits where we are wins.
RULES: Final = tuple(
    (re.compile(letters), phones.split())
    for line in r"""
    ^kn:N; ^wr:R; ^ps:S; ^mc:M AH K; ^x:Z; ^y(?=[aeiou]):Y; ^the$:DH AH; tion:SH AH N; sion:ZH AH N
    cious:SH AH S; ous$:AH S; augh:AO; ough:AO; igh:AY; eigh:EY; tch:CH; sch:SH; dge:JH; que$:K; qu:K W
    ch:CH; ck:K; sh:SH; th:TH; ph:F; wh:W; gh:G; ng$:NG; ng(?=[^aeiouy]):NG; nk:NG K; mb$:M; air:EH R
    ear:IH R; eer:IH R; ier:IH R; oor|our|oar:AO R; ar:AA R; or:AO R; er|ir|ur:ER; ee|ea|ie(?=[^$]):IY
    ai|ay|ei|ey(?=.):EY; ey$|ie$:IY; oa|oe$:OW; oo:UW; ou:AW; ow$:OW; ow:AW; oi|oy:OY; au|aw:AO
    ew|eu|ue$:UW; a(?=[^aeiouwxy]e$):EY; e(?=[^aeiouwxy]e$):IY; i(?=[^aeiouwxy]e$):AY
    o(?=[^aeiouwxy]e$):OW; u(?=[^aeiouwxy]e$):UW; (?<=[aeiou][^aeiou])e$:; e$:IY; (?<=[^aeiou])es$:Z; a$:AH
    i$:IY; o$:OW; u$:UW; y$:IY; ([bcdfgklmnprstz])(?=\1):; c(?=[eiy]):S; g(?=[eiy]):JH; x:K S; j:JH; a:AE
    e:EH; i|y:IH; o:AA; u:AH; b:B; c|k|q:K; d:D; f:F; g:G; h:HH; l:L; m:M; n:N; p:P; r:R; s:S; t:T; v:V
    w:W; z:Z
    """.strip().splitlines()
    for letters, _, phones in (rule.strip().partition(":") for rule in line.split(";"))
)
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
    """Words of 0..9999; from 1100 on as years are said, save the first of a millennium."""
    if value < 20:
        return ONES[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return f"{TENS[tens - 2]} {ONES[ones]}" if ones else TENS[tens - 2]
    if value < 1000 or value % 1000 < 100:
        name, size = ("hundred", 100) if value < 1000 else ("thousand", 1000)
        more, rest = divmod(value, size)
        return f"{ONES[more]} {name} {_number(rest)}" if rest else f"{ONES[more]} {name}"
    century, rest = divmod(value, 100)
    return f"{_number(century)} {_number(rest) if rest > 9 else f'oh {ONES[rest]}' if rest else 'hundred'}"
