"""What was said, in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversation.wording import (
    NUMBERS,
    SPOKEN,
    enumerated,
    is_backchannel,
    plain,
    spoken_digits,
    spoken_key,
    without_lead_in,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What's new?", "whats new"),
        ("What\N{RIGHT SINGLE QUOTATION MARK}s  NEW", "whats new"),
        ("Café, Zürich!", "cafe zurich"),
        ("uh-huh", "uh huh"),
        ("...", ""),
        ("Straße", "strasse"),
        ("press * or #", "press * or #"),
        ("हिन्दी", "हिनदी"),
    ],
)
def test_plain_words(text: str, words: str) -> None:
    assert plain(text) == words


@given(st.text())
def test_plain_words_are_plain_already(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    "text",
    ["Okay.", "uh-huh", "mhm", "Right, right.", "yeah okay", "I see", "got it", "oh really", "all right"],
)
def test_backchannels(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["", "I", "it", "okay stop", "no", "all", "news", "see", "wait", "right now"]
)
def test_words_that_are_no_backchannels(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("two", "2"),
        ("Number two, please.", "2"),
        ("press 2", "2"),
        ("to", "2"),
        ("option for", "4"),
        ("press star", "*"),
        ("the pound key", "#"),
        ("zero", "0"),
        ("oh", "0"),
    ],
)
def test_a_key_that_is_said(text: str, key: str) -> None:
    assert spoken_key(text) == key


@pytest.mark.parametrize("text", ["", "twelve", "12", "one two", "i want to", "tour", "two tickets", "press"])
def test_no_key_is_said(text: str) -> None:
    assert spoken_key(text) is None


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("five five five one two", "55512"),
        ("double five, oh 1 2", "55012"),
        ("triple nine", "999"),
        ("it's 0 30 1234", "0301234"),
        ("no idea", ""),
        ("٣", ""),
    ],
)
def test_dictated_digits(text: str, digits: str) -> None:
    assert spoken_digits(text) == digits


@given(st.text("0123456789", min_size=1, max_size=15))
def test_every_number_that_is_read_out_is_understood(digits: str) -> None:
    assert spoken_digits(" ".join(SPOKEN[digit] for digit in digits)) == digits
    assert set(SPOKEN.values()) - {"star", "pound"} <= NUMBERS.keys()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("My name is Anna.", "Anna"),
        ("um, it's Anna Lind", "Anna Lind"),
        ("Imogen", "Imogen"),
        ("Ismael", "Ismael"),
        ("well", ""),
    ],
)
def test_an_answer_without_its_lead_in(text: str, answer: str) -> None:
    assert without_lead_in(text) == answer


@pytest.mark.parametrize(
    ("words", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")]
)
def test_enumerations(words: list[str], said: str) -> None:
    assert enumerated(words) == said
