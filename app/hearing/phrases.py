"""Whether recognised words are the hotline's business: which phrase stands in them, and how sure that is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# The words people put around a phrase; they neither prove nor disprove that a phrase was meant.
POLITE = frozenset(
    "a about again all am an and are at be can could do for from get give good have hear hello hi how i i'd i'll i'm "
    "in is it just know like listen me my need of oh okay on one or out please say sorry some speak talk tell thank "
    "thanks that the them then there this to uh um us want was we what what's when where which who will with would "
    "yes you your".split()
)


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase in what was recognised."""

    phrase: str
    share: float  # of the telling words, those that the phrase covers; 1.0: nothing was said beside it


def find(words: Sequence[str], phrases: Iterable[str]) -> Match | None:
    """The longest phrase that stands in `words`, word for word and in order; at equal length the first said."""
    ranked = ((length, -at, phrase) for phrase in phrases for at, length in _places(words, phrase.split()))
    best = max(ranked, default=None)
    if best is None:
        return None
    _, _, phrase = best
    covered = {word for known in phrases if any(_places(words, known.split())) for word in known.split()}
    telling = [word for word in words if word in covered or word not in POLITE]
    return Match(phrase, sum(word in covered for word in telling) / len(telling))


def _places(words: Sequence[str], phrase: Sequence[str]) -> Iterable[tuple[int, int]]:
    size = len(phrase)
    return [(at, size) for at in range(len(words) - size + 1) if list(words[at : at + size]) == list(phrase)]
