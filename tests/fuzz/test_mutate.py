"""Garbage is made from valid inputs, of every sort, by a chance that can be repeated."""

import json
from random import Random

from tests.fuzz.mutate import BRINK, LARGEST, mutated

SEED = b'{"event":"media","media":{"payload":"AAAA","chunk":"1"}}\n{"event":"stop"}'


def many(seed: bytes, count: int = 3_000) -> list[bytes]:
    chance = Random(1)
    return [mutated(chance, [seed]) for _ in range(count)]


def test_the_same_chance_makes_the_same_garbage() -> None:
    assert many(SEED, 50) == many(SEED, 50)


def test_it_is_of_many_sorts_and_never_larger_than_is_read() -> None:
    made = many(SEED)

    assert len(set(made)) > 2_000
    assert max(map(len, made)) <= LARGEST
    assert any(b"[" * BRINK.start + b"]" in given for given in made)
    assert any(b"\xff" in given for given in made)
    assert any(b'"payload": null' in given for given in made)
    assert any(_is_json_without_a_field(given) for given in made)


def _is_json_without_a_field(given: bytes) -> bool:
    try:
        return "media" not in json.loads(given.split(b"\n")[0])
    except (ValueError, TypeError, RecursionError):
        return False


def test_what_is_nested_as_deep_as_can_be_is_made_worse_all_the_same() -> None:
    assert len(set(many(b"[" * 950 + b"]" * 950, 300))) > 200


def test_nothing_can_be_made_of_nothing() -> None:
    assert len(many(b"", 300)) == 300
