"""What a script says in the same words to every caller: to be rendered before anybody calls."""

from collections.abc import Iterator

from app.conversation.script_check import all_texts
from app.conversation.script_model import Menu, Script
from app.conversation.script_texts import DAYPARTS, fill, placeholders, read_keys

FILLED = {"daypart", "keys"}  # placeholders whose every value is known; the others wait for a caller


def ready_texts(script: Script) -> list[str]:
    """Each once, in the order of the script; those with a caller's own words in them are left out."""
    menus = [step for step in script.steps().values() if isinstance(step, Menu)]
    keys = [read_keys(menu.choices, script.everywhere) for menu in menus] or [""]
    known = FILLED | script.names.keys()
    texts = [text for _, text in all_texts(script) if known.issuperset(placeholders(text))]
    return list(dict.fromkeys(filled for text in texts for filled in _filled(text, script, keys)))


def _filled(text: str, script: Script, keys: list[str]) -> Iterator[str]:
    asked = placeholders(text)
    dayparts = [name for _, name in DAYPARTS] if "daypart" in asked else [""]
    for daypart in dayparts:
        for read in keys if "keys" in asked else [""]:
            yield fill(text, script.names | {"daypart": daypart, "keys": read})
