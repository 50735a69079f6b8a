"""What the types of a script say about a file, in our words, and what can still be checked behind it."""

import copy
import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.conversation.script_check import Flaw
from app.conversation.script_model import Script

# Reasons in our words where the library's speak of Python.
REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "expected a text in quotes",
    "tuple_type": "expected a list",
    "bool_type": "expected true or false",
    "model_type": "expected a table",
    "dict_type": "expected a table",
    "too_short": "is empty",
    "string_too_short": "is empty",
}
PATTERNS = {
    "^[0-9*#]?$": "expected one key: 0 to 9, * or #",
    "^[a-z][a-z_0-9]*$": "expected a name of small letters, digits and underscores",
}
UNKNOWN = "?"  # a target that was not given or cannot be read
STAND_INS: dict[str, Any] = {
    **dict.fromkeys(("then", "to", "otherwise", "open", "closed"), UNKNOWN),
    "keep": "unknown",
    "choices": [{"to": UNKNOWN, "key": "0"}],
    "greeting": {"say": UNKNOWN, "then": UNKNOWN},
}


def typing_flaws(error: ValidationError) -> list[Flaw]:
    """One flaw for each place."""
    return [Flaw(item["loc"], _reason(item)) for item in _causes(error)]


def mended(tables: dict[str, Any], error: ValidationError) -> Script | None:
    """The script as if nothing were where a fault is, so that the rest can be checked; None if that fails."""
    tables = copy.deepcopy(tables)
    for item in _causes(error):
        _mend(tables, item["loc"])
    try:
        return Script.model_validate(tables)
    except ValidationError:
        return None


def stands_apart(flaw: Flaw, known: list[Flaw]) -> bool:
    """Whether a flaw of a mended script is one of the file, and no consequence of those that are known."""
    if f"'{UNKNOWN}'" in flaw.reason or flaw.reason.startswith("no way leads"):
        return False  # with one target unknown, all steps may be reached
    return not any(
        _is_below(each.path, flaw.path) or _is_below(flaw.path, each.path) or each.path == flaw.path
        for each in known
        if each.reason != REASONS["extra_forbidden"]
    )


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """A list whose elements are all at fault is called empty as well: not by us."""
    items = error.errors()
    paths = [item["loc"] for item in items]
    return [
        item
        for item in items
        if item["type"] != "too_short" or not any(_is_below(path, item["loc"]) for path in paths)
    ]


def _mend(tables: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Take the innermost named value on `path` away, or put a stand-in there."""
    inner: Any = tables
    table, name = tables, ""
    for part in path:
        if isinstance(inner, dict):
            table, name = inner, str(part)
            inner = inner.get(part)
        elif isinstance(inner, list) and isinstance(part, int) and part < len(inner):
            inner = inner[part]
        else:
            break
    table.pop(name, None)
    if name in STAND_INS:
        table[name] = STAND_INS[name]


def _is_below(path: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _reason(item: ErrorDetails) -> str:
    if item["type"] in REASONS:
        return REASONS[item["type"]]
    if item["type"] == "string_pattern_mismatch":
        return PATTERNS[item["ctx"]["pattern"]]
    reason = re.sub(r"^Value error, ", "", item["msg"])
    reason = re.sub(r"^Input should be ", "expected ", reason)
    return f"{reason[:1].lower()}{reason[1:]}"
