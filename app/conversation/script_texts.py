"""Texts of a script: placeholders such as `{name}` or `{name|friend}`, and how keys are read out."""

import re
from collections.abc import Iterable, Mapping, Sequence

from app.conversation.script_model import Choice, Everywhere
from app.conversation.wording import SPOKEN, enumerated

PLACEHOLDER = re.compile(r"\{([a-z][a-z_0-9]*)(?:\|([^{}]*))?\}")
BUILT_IN = frozenset({"keys", "choices", "daypart", "position"})
# Hours at which a part of the day begins.
DAYPARTS = ((5, "morning"), (12, "afternoon"), (18, "evening"))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the values in; one that is missing gives what stands behind the bar, or nothing."""
    filled = PLACEHOLDER.sub(lambda met: values.get(met[1]) or met[2] or "", text)
    return " ".join(filled.split()).replace(" ,", ",").replace(" .", ".")


def placeholders(text: str) -> list[str]:
    """The names that a text asks for."""
    return [met[1] for met in PLACEHOLDER.finditer(text)]


def stray_braces(text: str) -> bool:
    """Whether a brace is left that is no placeholder and would be read out."""
    return bool(re.search(r"[{}]", PLACEHOLDER.sub("", text)))


def read_keys(choices: Sequence[Choice], everywhere: Iterable[Everywhere]) -> str:
    """`press one for the news, two for the tour dates or zero for a person`."""
    own = [(choice.key, choice.name) for choice in choices if choice.key]
    others = [(each.key, each.label) for each in everywhere if each.key and each.label]
    taken = {key for key, _ in own}
    read = [
        f"{SPOKEN[key]} for {name}" for key, name in own + [each for each in others if each[0] not in taken]
    ]
    return f"press {enumerated(read)}" if read else ""


def daypart(hour: int) -> str:
    """`morning`, `afternoon` or `evening`, as in `good morning`."""
    return next((name for begin, name in reversed(DAYPARTS) if hour >= begin), "evening")
