"""Whether recognised words are the hotline's business: which phrase stands in them, and what beside it."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

# The words people put around a phrase; they neither prove nor disprove that a phrase was meant.
POLITE = frozenset(
    """
    a about again all am an and are at be can could do for from get give good have hear hello hi how
    i i'd i'll i'm in is it just know like listen me my need of oh okay on one or out please say
    some sorry speak talk tell thank thanks that the them then there this to uh um us want was we
    what what's when where which who will with would yes you your
    """.split()  # noqa: SIM905 - a list of words reads better as a text
)


# Of the telling words so many must belong to phrases. A third accepts a quarter more speech about other
# things, two thirds lose a tenth of what is meant (`bench/hearing_asr.py`, on voices for tuning).
SURE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase in what was recognised."""

    phrase: str
    share: float  # of the telling words, those that belong to phrases; 1.0: nothing was said beside them


def match(words: Sequence[str], phrases: Sequence[str], always: Sequence[str] = ()) -> Match | None:
    """What the words are about; None: something else.

    `phrases` may stand among strange words, as long as there are not more of those. What is `always`
    understood, a yes or a digit, is heard in any speech: it counts when nothing else is said.
    """
    courtesy = POLITE.union(*(phrase.split() for phrase in always))
    if (met := find(words, phrases, courtesy)) is not None:
        return met if met.share >= SURE_SHARE else None
    return find(words, always) if courtesy.issuperset(words) else None


def find(words: Sequence[str], phrases: Iterable[str], polite: Set[str] = POLITE) -> Match | None:
    """The longest phrase that stands in `words`, word for word; at equal length the one said first."""
    places = [
        (len(phrase.split()), -at, phrase) for phrase in phrases for at in _places(words, phrase.split())
    ]
    if not places:
        return None
    covered = {word for _, _, phrase in places for word in phrase.split()}
    telling = [word for word in words if word in covered or word not in polite]
    return Match(max(places)[2], sum(word in covered for word in telling) / len(telling))


def _places(words: Sequence[str], phrase: Sequence[str]) -> Iterator[int]:
    size = len(phrase)
    return (at for at in range(len(words) - size + 1) if list(words[at : at + size]) == phrase)
