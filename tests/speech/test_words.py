import pytest

from app.speech.words import is_boundary, is_said, key, spans, whole_words


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello there.", ["Hello", "there."]),
        ("  One\n two  ", ["One", "two"]),
        ("costs 24.5 % (or so)", ["costs", "24.5", "%", "(or", "so)"]),
        ("東京に行く。", ["東", "京", "に", "行", "く", "。"]),
        ("Rock'n'roll \u2013 no", ["Rock'n'roll", "\u2013", "no"]),
        ("", []),
    ],
)
def test_words_stand_between_blanks_or_are_letters_of_scripts_without_any(
    text: str, expected: list[str]
) -> None:
    assert words(text) == expected


def test_korean_has_blanks() -> None:
    assert words("안녕 하세요") == ["안녕", "하세요"]


@pytest.mark.parametrize(
    ("text", "said"), [("a", True), ("%", True), ("...", False), (" \u2014 ", False), ("", False)]
)
def test_dots_and_dashes_alone_are_silence(text: str, said: bool) -> None:
    assert is_said(text) is said


def test_a_text_may_be_cut_around_its_words_and_not_in_them() -> None:
    text = "One two"

    assert [at for at in range(9) if is_boundary(text, at)] == [0, 3, 4, 7, 8]
    assert [whole_words(text, at) for at in range(9)] == [0, 0, 0, 3, 4, 4, 4, 7, 7]


def test_spellings_of_one_word_have_one_key() -> None:
    assert key("\u201cDon\u2019t,\u201d") == key("dont") == "dont"
    assert key("\ufb01ne") == "fine"
    assert key("24%") == "24%"
