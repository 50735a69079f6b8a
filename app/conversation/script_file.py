"""A script from its TOML file: read, typed, checked, with the file and line of every fault."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.conversation.script_check import Flaw, check
from app.conversation.script_model import Script
from app.conversation.script_places import Places
from app.conversation.script_typing import mended, stands_apart, typing_flaws
from app.errors import ConfigError

DEFAULT = Path(__file__).with_name("default.toml")
SCHEMA = Path(__file__).with_name("script.schema.json")
# A key of a hundred parts and more, for which `tomllib` takes time and memory by the square of them.
DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}""")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one line."""

    line: int
    reason: str


def load_script(path: Path = DEFAULT) -> Script:
    """Read a script; its prompts become paths that can be opened from anywhere.

    Raises:
        ConfigError: with one line `file:line: reason` for every fault.
    """
    script, faults = read_script(read_toml(path), path.parent)
    if script is None:
        raise ConfigError(*(f"{path}:{fault.line}: {fault.reason}" for fault in faults))
    return script


def read_toml(path: Path) -> str:
    """The text of the file.

    Raises:
        ConfigError: when it cannot be read, or is no text.
    """
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: cannot be read: expected UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {(error.strerror or 'no such file').lower()}") from None


def tables_of(toml: str) -> dict[str, Any]:
    """What `tomllib` reads, in a time by the text's length.

    Raises:
        ValueError, RecursionError: as told by `why_no_toml`.
    """
    if DEEP_KEY.search(toml):
        raise RecursionError
    return tomllib.loads(toml)


def read_script(toml: str, folder: Path) -> tuple[Script | None, list[Fault]]:
    """The script, or every fault that keeps it from being one, by line; `folder` is where its prompts are."""
    try:
        script, flaws = _typed(tables_of(toml))
    except (ValueError, RecursionError) as error:
        return None, [_syntax_fault(why_no_toml(error), len(toml.splitlines()) or 1)]
    if script is not None:
        found = check(script, lambda prompt: _is_file(folder / prompt))
        flaws = flaws + [flaw for flaw in found if not flaws or stands_apart(flaw, flaws)]
    if script is not None and not flaws:
        return _with_prompts(script, folder), []
    places = Places(toml)
    faults = {Fault(places.line(flaw.path), _told(flaw)) for flaw in flaws}
    return None, sorted(faults, key=lambda fault: (fault.line, fault.reason))


def dotted(path: tuple[str | int, ...]) -> str:
    """`menu.main.choices[1].to`; elements count from 1, as people do."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


def schema() -> dict[str, Any]:
    """The JSON schema that editors check a script with."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hotline script",
        **{key: value for key, value in Script.model_json_schema(by_alias=True).items() if key != "title"},
    }


def _typed(tables: dict[str, Any]) -> tuple[Script | None, list[Flaw]]:
    """The script, mended where its types are at fault, and what is."""
    try:
        return Script.model_validate(tables), []
    except ValidationError as error:
        return mended(tables, error), typing_flaws(error)


def _told(flaw: Flaw) -> str:
    return f"{dotted(flaw.path)}: {flaw.reason}" if flaw.path else flaw.reason


def _with_prompts(script: Script, folder: Path) -> Script:
    def resolved(table: Any) -> Any:
        played = getattr(table, "play", "")
        return table.model_copy(update={"play": str((folder / played).resolve())}) if played else table

    spoken = {
        kind: {name: resolved(step) for name, step in getattr(script, kind).items()}
        for kind in {kind for kind, _, _ in script.placed()}
    }
    return script.model_copy(update={"greeting": resolved(script.greeting), **spoken})


def why_no_toml(error: ValueError | RecursionError) -> str:
    """What the parser says, or what it stumbles over without saying it."""
    match error:
        case tomllib.TOMLDecodeError():
            return str(error)
        case RecursionError():
            return "tables or lists nested too deeply"
        case _:
            return "a number of too many digits"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's
        return False


def _syntax_fault(message: str, last_line: int) -> Fault:
    reason, found, where = message.rpartition(" (at ")
    reason = reason if found else message
    line = re.match(r"line (\d+)", where)
    return Fault(int(line[1]) if line else last_line, f"no TOML: {reason[:1].lower()}{reason[1:]}")
