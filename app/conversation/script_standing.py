"""Where a caller stands in a script, as it is kept for another server that may have to go on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.conversation.port import Order

Outcome = str  # a step's name, or an order of `everywhere`


@dataclass(slots=True)
class Way:
    """Where the caller is and has been."""

    step: str = ""
    menu: str = ""
    seen: set[str] = field(default_factory=set)
    misses: int = 0
    between: tuple[Outcome, ...] = ()  # what we have asked the caller to choose from
    told: list[Order] = field(default_factory=list)  # the answers given on the way here; not kept


class Standing(msgspec.Struct, kw_only=True):
    """A way and the caller's answers, written down."""

    step: str
    menu: str
    seen: list[str] = []
    misses: int = 0
    between: list[Outcome] = []
    kept: dict[str, str] = {}


def written(way: Way, kept: Mapping[str, str]) -> dict[str, Any]:
    """In values that JSON can hold."""
    standing = Standing(
        step=way.step,
        menu=way.menu,
        seen=sorted(way.seen),
        misses=way.misses,
        between=list(way.between),
        kept=dict(kept),
    )
    as_json: dict[str, Any] = msgspec.to_builtins(standing)
    return as_json


def read(state: Mapping[str, object], steps: Mapping[str, object]) -> tuple[Way, dict[str, str]] | None:
    """The way and the answers; None when it was written for another script."""
    try:
        standing = msgspec.convert(dict(state), Standing)
    except msgspec.ValidationError:
        return None
    if standing.step not in steps or (standing.menu and standing.menu not in steps):
        return None
    way = Way(standing.step, standing.menu, set(standing.seen), standing.misses, tuple(standing.between))
    return way, standing.kept
