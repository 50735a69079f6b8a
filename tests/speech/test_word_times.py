from itertools import pairwise

import pytest

from app.speech.port import Spoken
from app.speech.word_times import WordTimes

SECOND = 8000  # bytes of mu-law


def told(text: str, *words: str, seconds: int = 100) -> list[str]:
    """What is claimed as said after each word; every word takes a second, and its audio is there."""
    alignment = WordTimes(text, bytes_per_s=SECOND)
    alignment.audio(bytes(seconds * SECOND))
    claimed, said = [], ""
    for at, word in enumerate(words):
        alignment.word(word, at, at + 1)
        if claim := alignment.due():
            said = text[: claim.characters]
        claimed.append(said)
    return claimed


def test_words_are_found_one_after_the_other_with_their_marks() -> None:
    assert told("Hello, world! Bye.", "Hello,", "world!", "Bye.") == [
        "Hello,",
        "Hello, world!",
        "Hello, world! Bye.",
    ]


def test_tokens_without_marks_and_tokens_that_are_marks_are_the_same() -> None:
    tokens = ("Hello", ",", " ", "world", "!", " ")

    assert told("Hello, world! ", *tokens)[-1] == "Hello, world!"


def test_a_word_that_occurs_twice_is_first_the_first() -> None:
    assert told("to be or not to be", "to", "be", "or")[-1] == "to be or"


def test_capitals_do_not_matter() -> None:
    assert told("NASA called", "nasa", "Called")[-1] == "NASA called"


def test_a_text_before_whose_first_word_blanks_stand_is_counted_with_them() -> None:
    assert told("  Hello there", "Hello")[-1] == "  Hello"


def test_letters_without_blanks_between_words_are_found_too() -> None:
    assert told("你好世界", "你好", "世界") == ["你好", "你好世界"]


def test_a_number_that_was_spelled_out_is_said_when_the_next_word_is() -> None:
    assert told("pay 100 dollars now", "pay", "one", "hundred", "dollars") == ["pay"] * 3 + [
        "pay 100 dollars"
    ]


def test_a_word_further_on_is_not_taken_for_one_that_was_missed() -> None:
    """`and` stands for `&`: the other `and` comes later, and nothing before it has been said."""
    assert told("salt & pepper and more", "salt", "and", "pepper") == ["salt", "salt", "salt & pepper"]


def test_a_word_within_another_is_not_it() -> None:
    assert told("the 5 plants", "the", "five", "ants")[-1] == "the"


def test_nothing_is_claimed_before_its_audio_is_there() -> None:
    alignment = WordTimes("one two", bytes_per_s=SECOND)
    alignment.word("one", 0.0, 0.5)
    alignment.word("two", 0.5, 1.0)
    alignment.audio(bytes(SECOND // 2 - 8))
    early = alignment.due()
    alignment.audio(bytes(8))

    assert early is None
    assert alignment.due() == Spoken(3, 500.0)
    assert alignment.due() is None


def test_the_furthest_of_several_claims_is_told() -> None:
    alignment = WordTimes("one two three", bytes_per_s=SECOND)
    for at, word in enumerate(("one", "two", "three")):
        alignment.word(word, at, at + 1)
    alignment.audio(bytes(2 * SECOND))

    assert alignment.due() == Spoken(7, 2000.0)


def test_an_uncertain_word_is_claimed_when_it_is_told_again() -> None:
    alignment = WordTimes("one two three", bytes_per_s=SECOND)
    alignment.audio(bytes(3 * SECOND))
    alignment.word("one", 0.0, 1.0)
    alignment.word("two", 1.0, 1.2, certain=False)
    before = alignment.due()
    alignment.word("two", 1.0, 2.0)

    assert before == Spoken(3, 1000.0)
    assert alignment.due() == Spoken(7, 2000.0)


def test_times_that_begin_anew_end_the_claims() -> None:
    alignment = WordTimes("one two three four", bytes_per_s=SECOND)
    alignment.audio(bytes(9 * SECOND))
    alignment.word("one", 0.0, 1.0)
    alignment.word("two", 1.0, 2.0)
    alignment.word("three", 0.0, 1.0)
    alignment.word("four", 1.0, 2.0)

    assert alignment.due() == Spoken(7, 2000.0)
    assert alignment.due() is None


def test_ends_that_go_back_a_little_are_held() -> None:
    alignment = WordTimes("one two", bytes_per_s=SECOND)
    alignment.audio(bytes(SECOND))
    alignment.word("one", 0.0, 0.5)
    first = alignment.due()
    alignment.word("two", 0.48, 0.49)

    assert first == Spoken(3, 500.0)
    assert alignment.due() == Spoken(7, 500.0)


@pytest.mark.parametrize("text", ["one two", "", "  ", "İstanbul'a hoş geldiniz"])
def test_the_whole_is_all_of_the_text_and_of_the_audio(text: str) -> None:
    alignment = WordTimes(text, bytes_per_s=SECOND)
    alignment.audio(bytes(SECOND))

    assert alignment.whole() == Spoken(len(text), 1000.0)


def test_claims_never_go_back_whatever_the_words() -> None:
    alignment = WordTimes("a b a b a c", bytes_per_s=SECOND)
    claims = []
    for at, word in enumerate(["a", "a", "x", "b", "", "c", "a", "?", "b", "c"]):
        alignment.audio(bytes(SECOND))
        alignment.word(word, at, at + 0.9)
        claims += [claim] if (claim := alignment.due()) else []
    claims.append(alignment.whole())

    assert all(a.characters <= b.characters and a.until_ms <= b.until_ms for a, b in pairwise(claims))
