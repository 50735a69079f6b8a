import pytest

from app.hearing.pronunciation import UNSAID, pronounce, spell_out

# What the recogniser's model knows.
PHONES = {
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY"),
    *("F", "G", "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY"),
    *("P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
}


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("knox", "N AA K S"),
        ("kylie", "K IH L IY"),
        ("rihanna", "R IH HH AE N AH"),
        ("phish", "F IH SH"),
        ("lizzo", "L IH Z OW"),
        ("bright", "B R AY T"),
        ("lake", "L EY K"),
        ("björk", "B JH AO R K"),
    ],
)
def test_a_name_is_said_by_the_rules_of_spelling(word: str, phones: str) -> None:
    assert pronounce(word) == phones


@pytest.mark.parametrize(
    "word", ["zzyzx", "queueing", "o'hara", "ngugi", "ÅÄÖ", "xylophone", "aeiou", "mcgough"]
)
def test_any_word_is_said_with_the_models_phones(word: str) -> None:
    phones = pronounce(word).split()

    assert phones
    assert set(phones) <= PHONES


@pytest.mark.parametrize("word", ["日本", "", "'"])
def test_a_word_without_letters_that_we_read_is_a_mumble(word: str) -> None:
    assert pronounce(word) == UNSAID


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("0", "zero"),
        ("7", "seven"),
        ("13", "thirteen"),
        ("40", "forty"),
        ("99", "ninety nine"),
        ("100", "one hundred"),
        ("512", "five hundred twelve"),
        ("1000", "one thousand"),
        ("1001", "one thousand one"),
        ("1900", "nineteen hundred"),
        ("1905", "nineteen oh five"),
        ("1984", "nineteen eighty four"),
        ("2026", "two thousand twenty six"),
        ("007", "zero zero seven"),
        ("55512", "five five five one two"),
    ],
)
def test_numbers_are_said_in_words(digits: str, words: str) -> None:
    assert spell_out(digits) == words


@pytest.mark.parametrize("word", ["tour", "u2", "²", "٣"])
def test_what_is_no_plain_number_stays(word: str) -> None:
    assert spell_out(word) == word
