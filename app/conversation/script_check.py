"""What a well-typed script can still get wrong: targets, ways, texts, keys, words and files."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from app.conversation.script_model import Answer, Everywhere, Hours, Menu, Script, Step
from app.conversation.script_places import Path
from app.conversation.script_texts import BUILT_IN, placeholders, stray_braces
from app.conversation.wording import plain

TARGETS = ("to", "then", "otherwise", "empty", "open", "closed")
TEXTS = ("say", "again", "help")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One fault: where in the script, and what it is."""

    path: Path
    reason: str


def check(script: Script, exists: Callable[[str], bool]) -> list[Flaw]:
    """Every fault of `script`; `exists` says whether a prompt file is there."""
    return [
        *_names(script),
        *_targets(script),
        *_unreachable(script),
        *_circles(script),
        *_ways_back(script),
        *_texts(script),
        *_prompts(script, exists),
        *_choices(script),
    ]


def ways(step: Step) -> list[tuple[Path, str]]:
    """The steps that can follow by name, each with where it is named."""
    found: list[tuple[Path, str]] = []
    if isinstance(step, Menu):
        found += [(("choices", at, "to"), choice.to) for at, choice in enumerate(step.choices)]
    for name in TARGETS:
        if target := getattr(step, name, None):
            found.append(((name,), target))
    return found


def _names(script: Script) -> Iterator[Flaw]:
    seen: dict[str, str] = {}
    for kind, name, _ in script.placed():
        if name in seen:
            yield Flaw((kind, name), f"'{name}' is in [{seen[name]}] already (step names are unique)")
        seen.setdefault(name, kind)
    for name, question in script.question.items():
        if question.keep in BUILT_IN | script.names.keys():
            yield Flaw(("question", name, "keep"), f"'{question.keep}' is taken by another placeholder")
    for name in sorted(BUILT_IN & script.names.keys()):
        yield Flaw(("names", name), f"'{name}' is a placeholder of its own")


def _targets(script: Script) -> Iterator[Flaw]:
    steps = script.steps()
    for path, target in _all_ways(script):
        if target not in steps:
            yield Flaw(path, f"there is no step '{target}'")


def _all_ways(script: Script) -> Iterator[tuple[Path, str]]:
    yield ("greeting", "then"), script.greeting.then
    for at, each in enumerate(script.everywhere):
        if each.to:
            yield ("everywhere", at, "to"), each.to
    for kind, name, step in script.placed():
        for path, target in ways(step):
            yield (kind, name, *path), target


def _unreachable(script: Script) -> Iterator[Flaw]:
    steps = script.steps()
    todo = [script.greeting.then, *(each.to for each in script.everywhere if each.to)]
    reached: set[str] = set()
    while todo:
        name = todo.pop()
        if name in steps and name not in reached:
            reached.add(name)
            todo += [target for _, target in ways(steps[name])]
    for kind, name, _ in script.placed():
        if name not in reached:
            yield Flaw((kind, name), f"no way leads to '{name}'")


def _circles(script: Script) -> Iterator[Flaw]:
    """Ways that come back without ever listening: the caller would hear them for ever."""
    steps = script.steps()
    silent = {name: step for name, step in steps.items() if isinstance(step, Answer | Hours)}
    for kind, name, step in script.placed():
        if name in silent and _comes_back(name, step, silent):
            yield Flaw((kind, name), f"'{name}' leads back to itself without listening to the caller")


def _comes_back(name: str, step: Step, silent: Mapping[str, Step]) -> bool:
    todo, seen = [target for _, target in ways(step)], set[str]()
    while todo:
        met = todo.pop()
        if met == name:
            return True
        if met in silent and met not in seen:
            seen.add(met)
            todo += [target for _, target in ways(silent[met])]
    return False


def _ways_back(script: Script) -> Iterator[Flaw]:
    if script.menu:
        return
    for kind, name, step in script.placed():
        if "then" in type(step).model_fields and getattr(step, "then", None) is None:
            yield Flaw((kind, name), f"'{name}' has no `then`, and there is no menu to go back to")


def _texts(script: Script) -> Iterator[Flaw]:
    for kind, name, step in script.placed():
        may_be_silent = isinstance(step, Hours) or kind == "transfer"
        if not may_be_silent and not (getattr(step, "say", ()) or getattr(step, "play", "")):
            yield Flaw((kind, name), f"'{name}' has nothing to say (neither `say` nor `play`)")
    if not (script.greeting.say or script.greeting.play):
        yield Flaw(("greeting",), "the greeting has nothing to say (neither `say` nor `play`)")
    known = BUILT_IN | script.names.keys() | {question.keep for question in script.question.values()}
    for path, text in all_texts(script):
        if stray_braces(text):
            yield Flaw(path, "a brace that is no placeholder (expected such as {name} or {name|friend})")
        for name in placeholders(text):
            if name not in known:
                yield Flaw(path, f"nothing is kept as '{name}'")


def all_texts(script: Script) -> Iterator[tuple[Path, str]]:
    tables: list[tuple[Path, object]] = [((kind, name), step) for kind, name, step in script.placed()]
    tables += [(("greeting",), script.greeting)]
    for path, table in tables:
        for field in TEXTS:
            yield from (((*path, field, at), text) for at, text in enumerate(getattr(table, field, ())))
    for field in ("help", "cut_off"):
        yield from (((field, at), text) for at, text in enumerate(getattr(script, field)))
    for section in ("silence", "not_understood"):
        for field, texts in getattr(script, section):
            yield from (((section, field, at), text) for at, text in enumerate(texts))


def _prompts(script: Script, exists: Callable[[str], bool]) -> Iterator[Flaw]:
    tables: list[tuple[Path, object]] = [((kind, name), step) for kind, name, step in script.placed()]
    for path, table in [(("greeting",), script.greeting), *tables]:
        played = getattr(table, "play", "")
        if played and not exists(played):
            yield Flaw((*path, "play"), f"there is no file '{PurePath(played)}' beside the script")


def _choices(script: Script) -> Iterator[Flaw]:
    yield from _doubles(("everywhere",), [(each.key, each.words) for each in script.everywhere])
    for at, each in enumerate(script.everywhere):
        if not (each.words or each.key):
            yield Flaw(("everywhere", at), "can be neither said nor pressed (neither `words` nor `key`)")
    for name, menu in script.menu.items():
        path: Path = ("menu", name, "choices")
        yield from _doubles(path, [(choice.key, choice.words) for choice in menu.choices])
        for at, choice in enumerate(menu.choices):
            if not (choice.words or choice.key):
                yield Flaw((*path, at), "can be neither said nor pressed (neither `words` nor `key`)")
            yield from _hides((*path, at), choice.to, choice.key, choice.words, script.everywhere)


def _doubles(path: Path, offered: list[tuple[str, tuple[str, ...]]]) -> Iterator[Flaw]:
    """A key or a phrase that means two things."""
    keys, phrases = Counter[str](), Counter[str]()
    for at, (key, words) in enumerate(offered):
        keys[key] += bool(key)
        if keys[key] > 1:
            yield Flaw((*path, at, "key"), f"key {key} is taken in this menu")
        for phrase in dict.fromkeys(plain(word) for word in words):
            phrases[phrase] += 1
            if phrases[phrase] > 1:
                yield Flaw((*path, at, "words"), f"'{phrase}' means something else in this menu already")


def _hides(
    path: Path, to: str, key: str, words: tuple[str, ...], everywhere: tuple[Everywhere, ...]
) -> Iterator[Flaw]:
    """A choice of a menu that takes a word or key from what works everywhere."""
    for each in everywhere:
        if each.to == to:
            continue
        if key and key == each.key:
            yield Flaw((*path, "key"), f"key {key} means something else everywhere")
        for phrase in {plain(word) for word in words} & {plain(word) for word in each.words}:
            yield Flaw((*path, "words"), f"'{phrase}' means something else everywhere")
