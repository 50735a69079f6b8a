"""What was meant: heard words against the wordings of the open choices, tolerant of a recogniser's errors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from app.conversation.wording import plain, spoken_key, word_set

Choice = TypeVar("Choice")

# Measured on the default script with one letter or one short word wrong in every phrase, and on talk that
# means nothing in it (tests/conversation/test_matching.py).
ENOUGH = 0.58  # likeness of trigrams that counts as the same phrase
MARGIN = 0.12  # by which the best has to lead, or we ask
LEAST_PROOF = 0.6  # what a likeness counts when nearly all words of the phrase are little ones
LONGEST_HEARD = 60  # words, the last ones: half a minute of speech, and 4 ms to match on a menu of 95 phrases
SHORT = 3  # letters; words this short match exactly or not at all
# They are in every question, so they make none like another: `what's the weather` is not `what's new`.
LITTLE_WORDS = word_set(
    "a an the to for of on in at is are was do does did can could would will i you me my your we us our it",
    "what whats when where who how this that there and or please uh um like want have",
)


@dataclass(frozen=True, slots=True)
class Option(Generic[Choice]):
    """One choice, the wordings that mean it, and its key."""

    choice: Choice
    phrases: tuple[str, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Match(Generic[Choice]):
    """The choices that can be meant: none, one, or several of which the caller has to choose."""

    choices: tuple[Choice, ...]

    @property
    def sure(self) -> bool:
        return len(self.choices) == 1


def match_choice(heard: str, options: Sequence[Option[Choice]]) -> Match[Choice]:
    """Which of `options` was said: by its number or key name, or by its words, whole or nearly so."""
    key = spoken_key(heard)
    if key is not None and (by_key := [option.choice for option in options if option.key == key]):
        return Match(tuple(by_key))
    words = tuple(plain(heard).split())[-LONGEST_HEARD:]
    scores = {at: _best(words, option.phrases) for at, option in enumerate(options)}
    best = max(scores.values(), default=(0.0, 0))
    if best[0] < ENOUGH:
        return Match(())
    near = [at for at, score in scores.items() if _is_near(score, best)]
    return Match(tuple(options[at].choice for at in near))


def match_key(digits: str, options: Iterable[Option[Choice]]) -> Choice | None:
    """The choice with exactly this key."""
    return next((option.choice for option in options if option.key and option.key == digits), None)


def _is_near(score: tuple[float, int], best: tuple[float, int]) -> bool:
    likeness, weight = score
    # Of two phrases that were both said, the longer one says more: `tour news` when `news` is a choice too.
    return likeness >= ENOUGH and likeness > best[0] - MARGIN and weight >= best[1]


def _best(words: tuple[str, ...], phrases: Iterable[str]) -> tuple[float, int]:
    """The likeness of the phrase that fits best, and how many words of weight it has."""
    found = ((_likeness(words, tuple(plain(phrase).split())), phrase) for phrase in phrases)
    likeness, phrase = max(found, key=lambda each: (each[0], len(each[1])), default=(0.0, ""))
    return likeness, len(_core(tuple(plain(phrase).split())))


def _likeness(words: tuple[str, ...], phrase: tuple[str, ...]) -> float:
    """Of the part of `words` that is most like `phrase`, 0..1; 1 only for the same words in a row."""
    size = len(phrase)
    if not phrase or not words:
        return 0.0
    if phrase in (words[at : at + size] for at in range(len(words))):
        return 1.0
    words, core = _core(words), _core(phrase)
    size, joined = len(core), " ".join(core)
    if not words or len(joined) <= SHORT:
        return 0.0
    windows = {
        " ".join(words[at : at + width])
        for width in range(max(1, size - 1), size + 2)
        for at in range(max(1, len(words) - width + 1))
    }
    # What is left of `when do you play` is in many sentences: the less is left, the less it proves.
    proof = LEAST_PROOF + (1 - LEAST_PROOF) * size / len(phrase)
    return max(min(0.99, _dice(window, joined)) * proof for window in windows)


def _core(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in LITTLE_WORDS)


def _dice(one: str, other: str) -> float:
    """Twice the shared trigrams over all trigrams; blanks do not count, as recognisers move them."""
    ours, theirs = _trigrams(one), _trigrams(other)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


@lru_cache(maxsize=4096)
def _trigrams(text: str) -> frozenset[str]:
    padded = f"  {text.replace(' ', '')} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def phrases_of(options: Iterable[Option[Choice]], numbers: Mapping[str, str]) -> tuple[str, ...]:
    """Everything that can be said to choose, once each: the wordings, and the names of the keys."""
    said = [phrase for option in options for phrase in (*option.phrases, numbers.get(option.key, ""))]
    return tuple(dict.fromkeys(phrase for phrase in said if phrase))
