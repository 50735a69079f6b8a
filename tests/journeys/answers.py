"""Which of the hotline's texts a caller has heard, told by the words that were written down of it."""

from collections import Counter
from collections.abc import Sequence

from app.conversation.script_file import DEFAULT, load_script
from app.conversation.wording import plain

HEARD_WORDS = 16  # of a text's beginning: callers who interrupt hear no more, and later words mislead


class Answers:
    """The texts of a script by the step they belong to; a word counts the less, the more steps have it."""

    def __init__(self, texts: dict[str, Sequence[str]]) -> None:
        self._words = {name: [_beginning(text) for text in said] for name, said in texts.items()}
        self._steps = Counter(word for said in self._words.values() for word in set().union(*said))

    @classmethod
    def of_the_script_that_ships(cls) -> "Answers":
        script = load_script(DEFAULT)
        told = {name: said for name, step in script.steps().items() if (said := getattr(step, "say", ()))}
        return cls(told | {"not_understood": (*script.not_understood.first, *script.not_understood.second)})

    def told_in(self, heard: str) -> str:
        """The step whose text explains most of the words; empty when nothing was heard."""
        words = set(plain(heard).split())
        sums = {name: max(self._weigh(words & text) for text in said) for name, said in self._words.items()}
        best = max(sums, key=lambda name: sums[name])
        return best if sums[best] else ""

    def _weigh(self, words: set[str]) -> float:
        return sum(1 / self._steps[word] ** 2 for word in words)


def _beginning(text: str) -> set[str]:
    return set(plain(text).split()[:HEARD_WORDS])
