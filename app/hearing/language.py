"""What may be said on this hotline: a small language model and dictionary, made from the script's phrases.

A phrase is likely alone and inside the polite words that people put around it. Beside them stand the common
words of the language, each rare: speech about something else falls on them instead of on a phrase, which is
how it is told apart.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from pocketsphinx import get_model_path
from pocketsphinx.lm import ArpaBoLM

from app.hearing.pronunciation import pronounce, spell_out

ALONE = 20  # a phrase by itself is as likely as in half of all frames together
DIGIT_ALONE = 15
BACKGROUND = 1500  # common words; more reject better and cost processor time (`bench/hearing_asr.py`)
# Each is as likely as a word said so often. At 1 a sixth of other speech is taken for a phrase, at 4 a
# fourteenth, with the same share of phrases understood (on voices for tuning).
BACKGROUND_COUNT = 4

FRAMES = (
    "{} please", "i want {}", "i would like {}", "i'd like {}", "i want to {}", "i would like to {}",
    "i'd like to {}", "can i {}", "can you {}", "could you {}", "can i {} please", "could i {} please",
    "tell me about {}", "tell me about the {}", "what about {}", "what are the {}", "what is the {}",
    "when are the {}", "i want to hear {}", "i want to hear about {}", "i want to know about the {}",
    "i would like to know about the {}", "can i hear the {}", "the {}", "the {} please", "um {}", "uh {}",
    "okay {}", "yes {}", "how can i get {}", "how do i get {}", "some {}", "for {}", "of the {}", "with {}",
    "{} for the {}", "{} thank you", "thank you {}", "give me the {}", "can i get {}", "can i have {}",
)  # fmt: skip
ALWAYS = (
    "yes",
    "yeah",
    "no",
    "no thank you",
    "thank you",
    "okay",
    "hello",
    "sorry",
    "what",
    "help",
    "goodbye",
)
DIGITS = ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Language(NamedTuple):
    """What a recogniser needs to know: two files' text, and the phrases they were made for."""

    arpa: str
    dictionary: str
    phrases: tuple[str, ...]
    always: tuple[str, ...]  # understood by every hotline


def understand(phrases: Sequence[str]) -> Language:
    """Make the language of a hotline whose callers are expected to say `phrases`, in any spelling."""
    spoken = tuple(dict.fromkeys(text for phrase in phrases if (text := plain(phrase))))
    sentences = list(_sentences(dict.fromkeys((*spoken, *ALWAYS))))
    own = {word for sentence in sentences for word in sentence.split()}
    background = [word for word in common_words()[:BACKGROUND] if word not in own]
    return Language(
        _arpa(sentences, background), _dictionary([*sorted(own), *background]), spoken, (*ALWAYS, *DIGITS)
    )


def plain(phrase: str) -> str:
    """As it is spoken and recognised: lower case words, numbers in words, no punctuation."""
    lowered = phrase.lower().replace("\u2019", "'").replace("&", " and ")
    return " ".join(spell_out(word) for word in re.findall(r"[^\W_]+(?:'[^\W_]+)*", lowered))


@cache
def common_words() -> tuple[str, ...]:
    """The language's words, the most frequent first; made by `fixtures/make_common_words.py`."""
    return tuple((resources.files("app.hearing") / "data" / "common_words.txt").read_text().split())


def _sentences(phrases: Iterable[str]) -> Iterator[str]:
    for phrase in phrases:
        yield from [phrase] * ALONE
        yield from (frame.replace("{}", phrase) for frame in FRAMES)
    for digit in DIGITS:
        yield from [digit] * DIGIT_ALONE
        yield from (f"{digit} {following}" for following in DIGITS)


def _arpa(sentences: Iterable[str], background: Iterable[str]) -> str:
    model = ArpaBoLM(text="\n".join(sentences), add_start=True)
    for word in background:
        model.grams_1[word] += BACKGROUND_COUNT
    model.compute()
    out = io.StringIO()
    model.write(out)
    return out.getvalue()


@cache
def _bundled() -> dict[str, list[str]]:
    """The dictionary that comes with the recogniser: the pronunciations of 134,000 words."""
    entries: dict[str, list[str]] = {}
    path = Path(get_model_path()) / "en-us" / "cmudict-en-us.dict"
    for line in path.read_text().splitlines():
        word, _, phones = line.partition(" ")
        entries.setdefault(word.partition("(")[0], []).append(phones)
    return entries


def _dictionary(words: Iterable[str]) -> str:
    lines = []
    for word in words:
        for count, phones in enumerate(_bundled().get(word) or [pronounce(word)], 1):
            lines.append(f"{word} {phones}" if count == 1 else f"{word}({count}) {phones}")
    return "\n".join(lines) + "\n"
