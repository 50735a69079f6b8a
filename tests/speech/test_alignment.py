import time
from collections.abc import Sequence
from itertools import pairwise

import pytest

from app.speech.alignment import Alignment
from app.speech.port import Spoken
from app.speech.words import is_boundary


def fed(text: str, *said: str) -> list[str]:
    """The text up to each word's end, when a vendor times these pieces by 10 ms a character."""
    alignment, found, at = Alignment(text), list[Spoken](), 0
    for piece in said:
        starts = [10.0 * (at + number) for number in range(len(piece))]
        found += alignment.feed(list(piece), starts, [10.0] * len(piece))
        at += len(piece)
    assert all(one.until_ms < other.until_ms for one, other in pairwise(found))
    return [text[: place.characters] for place in found if is_boundary(text, place.characters)]


def test_every_word_is_a_place_at_the_end_of_its_last_character() -> None:
    places = list(Alignment("Hi you.").feed(list("Hi you. "), [10.0 * n for n in range(8)], [10.0] * 8))

    assert places == [Spoken(2, 20.0), Spoken(6, 60.0), Spoken(7, 70.0)]


def test_a_pause_that_a_stop_makes_is_not_part_of_the_word_before_it() -> None:
    starts = [0.0, 100.0, 200.0, 3200.0, 3200.0, 3300.0]
    durations = [100.0, 100.0, 3000.0, 0.0, 100.0, 100.0]

    places = list(Alignment("Ah, so").feed(list("Ah, so"), starts, durations))

    assert places == [Spoken(2, 200.0), Spoken(3, 3200.0), Spoken(6, 3400.0)]


@pytest.mark.parametrize(
    "said",
    [
        ["One two three "],
        ["One t", "wo thr", "ee"],
        [" One two", " three "],
        ["O", "n", "e", " ", "two   three"],
        ["one TWO three"],
    ],
)
def test_however_it_comes_the_words_are_found(said: Sequence[str]) -> None:
    assert fed("One two  three", *said) == ["One", "One two", "One two  three"]


def test_numbers_that_were_spelled_out_are_passed_over() -> None:
    assert fed("I have 23 cats today", " I have twenty three cats today ") == [
        "I",
        "I have",
        "I have 23 cats",
        "I have 23 cats today",
    ]


def test_typographic_forms_are_the_same_words() -> None:
    ours = "\u201cDon\u2019t\u201d \u2013 go!"

    assert fed(ours, '"Don\'t" go! ') == [ours[:7], ours]


def test_a_short_word_is_not_found_ahead_by_chance() -> None:
    text = "He saw 7 cats and the dog and the hen"

    # "the" and "and" would be found too far ahead; what follows them is believed.
    assert fed(text, "He saw the and cats and the dog ")[-1] == "He saw 7 cats and the dog"
    assert fed(text, "He saw the ") == ["He", "He saw"]
    assert fed(text, "He saw seven cats ")[-1] == "He saw 7 cats"


def test_two_short_words_that_follow_each_other_are_believed() -> None:
    assert fed("xx yy a b c d", "zz zz a b ")[-1] == "xx yy a b"


def test_scripts_without_blanks_have_a_place_behind_each_letter() -> None:
    assert fed("東京に行く", "東京に行く") == ["東", "東京", "東京に", "東京に行", "東京に行く"]


def test_a_text_nobody_knows_gives_no_place() -> None:
    assert fed("One two three", "completely different words ") == []


def test_lists_of_uneven_length_and_empty_characters_are_borne() -> None:
    alignment = Alignment("Hi you")

    assert list(alignment.feed(["H", "i", "", "y"], [0.0, 1.0], [1.0])) == []
    assert list(alignment.feed([], [], [])) == []


def test_a_vendors_word_without_end_is_none_of_ours_and_costs_no_more_than_its_letters() -> None:
    letters = "a" * 60_000
    began = time.process_time()

    assert fed("Hello there.", letters, " Hello there.") == ["Hello", "Hello there."]
    assert time.process_time() - began < 3  # some 0.1 s; it was ten, and grew with the square of the letters
