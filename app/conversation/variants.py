"""One of several wordings, never the same twice in a row."""

import random
from collections.abc import Sequence


class Variants:
    """Remembers what was said last of each group of wordings; the same `seed` chooses the same."""

    def __init__(self, seed: str = "") -> None:
        self._random = random.Random(seed)
        self._last: dict[tuple[str, ...], str] = {}

    def choose(self, wordings: Sequence[str]) -> str:
        """One of `wordings`, which must not be empty; with two or more, another than the last time."""
        group = tuple(wordings)
        open_to_us = [wording for wording in group if wording != self._last.get(group)] or group
        self._last[group] = chosen = self._random.choice(open_to_us)
        return chosen
