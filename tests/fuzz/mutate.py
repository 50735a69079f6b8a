"""Garbage that looks like the real thing: valid inputs with something wrong in them.

One source for all drivers: hypothesis hands in a `Random` whose every draw it can shrink.
"""

import json
import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

LARGEST = 64 * 1024  # bytes; what is larger is refused before it is read
DEEP = 2_000  # levels, beyond the interpreter's own limit
BRINK = range(880, 1_000)  # levels about that limit, where one reader gives up and the next does not
NESTED = re.compile(rb'"(\[{880,})"')  # stands for so many lists in each other, which no encoder would write

# Values that a field may have and should not.
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    "",
    "x",
    -1,
    0,
    2**31,
    2**63,
    2**64,
    -(10**30),
    10**60,
    0.5,
    -1e308,
    1e308,
    [],
    ["x"],
    {},
    {"x": {}},
    "\x00",
    "\u2028",
    "a" * 5_000,
    "9" * 5_000,
    "1e309",
    "NaN",
    "====",
    "/w==/w==",
    "ÿü😀",
    "../../../etc/passwd",
    "{{7*7}}",
    [[1, "2", None]],
    [1e308] * 3,
    ["a"] * 300,
)
# What no encoder of JSON would write.
RAW: tuple[bytes, ...] = (
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"1" * 5_000,
    b'"\\ud800"',
    b'"\\udfff\\ud800"',
    b'"\xff\xfe"',
    b"\xed\xa0\x80",
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b"{",
    b"}",
    b'"',
    b"\\",
    b"\x00",
    b"\n",
    b"\xff\xfb\x90\x64",
    b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
    b"RIFF\xff\xff\xff\xffWAVEfmt ",
    b"%00%ff%zz",
    b"&",
    b"=",
)


def mutated(chance: Random, seeds: Sequence[bytes]) -> bytes:
    """One of `seeds` with one to four things wrong, never longer than `LARGEST`."""
    given = chance.choice(seeds)
    for _ in range(chance.randint(1, 4)):
        given = chance.choice(WAYS)(chance, given, seeds)[:LARGEST]
    return given


def _message(chance: Random, given: bytes, seeds: Sequence[bytes]) -> bytes:
    """A line that is JSON loses a field, or gets another value: a wrong one, or lists nested to the brink."""
    lines = given.split(b"\n")
    at = chance.randrange(len(lines))
    try:
        message = json.loads(lines[at])
    except (ValueError, RecursionError):
        return _splice(chance, given, seeds)
    places = list(_places(message))
    if not places:
        return _splice(chance, given, seeds)
    table, name = chance.choice(places)
    match chance.randrange(4):
        case 0:
            del table[name]
        case 1:
            table[name] = chance.choice(BRINK) * "["
        case _:
            table[name] = chance.choice(HOSTILE)
    try:
        lines[at] = NESTED.sub(_nested, json.dumps(message).encode())
    except RecursionError:  # it was nested before
        return _splice(chance, given, seeds)
    return b"\n".join(lines)


def _nested(brackets: re.Match[bytes]) -> bytes:
    return brackets[1] + b"]" * len(brackets[1])


def _lines(chance: Random, given: bytes, seeds: Sequence[bytes]) -> bytes:
    """Lines come again, in another order, not at all, or from elsewhere."""
    lines = given.split(b"\n")
    match chance.randrange(4):
        case 0:
            chance.shuffle(lines)
        case 1:
            at = chance.randrange(len(lines))
            lines[at:at] = [lines[at]] * chance.choice((1, 3, 40))
        case 2:
            del lines[chance.randrange(len(lines))]
        case _:
            lines.insert(chance.randrange(len(lines) + 1), chance.choice(chance.choice(seeds).split(b"\n")))
    return b"\n".join(lines)


def _truncate(chance: Random, given: bytes, _seeds: Sequence[bytes]) -> bytes:
    cut = chance.randrange(len(given) + 1)
    return given[:cut] if chance.random() < 0.7 else given[cut:]


def _flip(chance: Random, given: bytes, _seeds: Sequence[bytes]) -> bytes:
    flipped = bytearray(given)
    for _ in range(chance.choice((1, 1, 4, 32)) if flipped else 0):
        flipped[chance.randrange(len(flipped))] = chance.randrange(256)
    return bytes(flipped)


def _splice(chance: Random, given: bytes, seeds: Sequence[bytes]) -> bytes:
    """Something of RAW, or of another seed, in place of a part."""
    start = chance.randrange(len(given) + 1)
    end = min(len(given), start + chance.choice((0, 1, 8, 200)))
    other = chance.choice(seeds)
    cut = chance.randrange(len(other) + 1)
    piece = chance.choice((chance.choice(RAW), other[cut : cut + 200], bytes(chance.choice((1, 200)))))
    return given[:start] + piece + given[end:]


def _repeat(chance: Random, given: bytes, _seeds: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(given) + 1)
    piece = given[start : start + chance.choice((1, 10, 400))]
    return given[:start] + piece * chance.choice((2, 20, 200)) + given[start:]


WAYS = (_message, _message, _message, _lines, _truncate, _flip, _splice, _repeat)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (table, key) and (list, index) in a value."""
    todo = [value]
    while todo:
        table = todo.pop()
        if isinstance(table, dict | list):
            for name in table if isinstance(table, dict) else range(len(table)):
                yield table, name
                todo.append(table[name])
