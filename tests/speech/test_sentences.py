# ruff: noqa: RUF001 - punctuation of many scripts is the matter here
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.speech.sentences import LONGEST, SentenceCutter, split_sentences

# Texts made of what the cutter decides by, beside any characters at all.
BITS = st.sampled_from(
    [
        *[
            "Hello",
            "world",
            "I",
            "the",
            "Mr",
            "e.g",
            "p.m",
            "U.S",
            "J",
            "5",
            "3.14",
            "No",
            "it's",
            "www.x.com",
        ],
        *[
            ".",
            "!",
            "?",
            "...",
            "…",
            "。",
            "！",
            "؟",
            "।",
            ",",
            ", ",
            ": ",
            ";",
            "，",
            '"',
            "”",
            "(",
            ")",
            "« ",
        ],
        *[
            " ",
            " ",
            " ",
            "\n",
            "\n\n",
            "\t",
            "  ",
            "😀",
            "👍🏽",
            "👨‍👩‍👧",
            "🇩🇪",
            "é",
            "你好",
            "مرحبا",
            "नमस्ते",
            "- ",
            "1. ",
        ],
        *["x" * 90, " " * 90, "word " * 30, "😀" * 40],
    ]
)
TEXTS = st.one_of(st.lists(BITS, max_size=40).map("".join), st.text(max_size=400))


@pytest.mark.parametrize(
    "pieces",
    [
        ["Hello there. ", "How are you? ", "Fine!"],
        ["Dr. Jones met Mrs. Smith on St. James Street. ", "They talked."],
        ["Bring fruit, e.g. apples, i.e. the red ones. ", "Thanks."],
        ["The U.S. Army left. ", "He lives in the U.S. ", "They do not."],
        ["Open from 9 a.m. Eastern to 5 p.m. ", "Please call again."],
        ["J. R. R. Tolkien wrote it. ", "I read it."],
        ["She has a Ph.D. in physics. ", "He has none."],
        ["Pens, paper, etc. are here. ", "Take one."],
        ["It costs 3.50 at 12:30. ", "Pi is 3.14159."],
        ["Call 555.123.4567 now. ", "See No. 5 on p. 7."],
        ["No. ", "I will not."],
        ["Mail a.b@example.com or see https://www.example.com/a.html?q=1.5&b=!x today. ", "Bye."],
        ["See www.example.com. ", "Then call."],
        ["Version 2.0.1 is out. ", "Good."],
        ["Well... maybe. ", "Wait... ", "What?"],
        ["Well… maybe. ", "Yes."],
        ['"Stop!" he said. ', '"Go." ', "She left. ", "(He stayed.) ", "Yes."],
        ["“Really?” ", "“Yes.” ", "Good."],
        ["What?! ", "No!! ", "Yes."],
        ["Oui. ", "« Non » dit-il. ", "¿Qué? ", "¡Hola!"],
        ["好。", "你好！", "「真的？」", "是的。"],
        ["你好. ", "再见"],
        ["مرحبا؟ ", "نعم۔ ", "لا"],
        ["नमस्ते। ", "आप कैसे हैं। ", "ठीक"],
        ["Hi! 😀 ", "There 😀. ", "Bye 👋🏽"],
        ["Options:\n", "- one\n", "- two\n\n", "End"],
        ["1. First. ", "2. Second. ", "Third."],
        ["A line that was\nwrapped goes on. ", "Done."],
        ["A title\n\n", "and its text"],
        ["hello. ", "how are you? ", "fine"],
        ["  Blanks stay. ", "With their sentence.  \n "],
        ["...and so on. ", "Next."],
        ["I agree. ", "It's good."],
        ["   "],
        ["?!"],
        [],
    ],
    ids=lambda pieces: "".join(pieces)[:24],
)
def test_text_is_cut_where_a_reader_would_pause(pieces: list[str]) -> None:
    assert split_sentences("".join(pieces)) == pieces


@given(TEXTS)
def test_the_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(split_sentences(text)) == text


@given(TEXTS, st.data())
def test_the_pieces_do_not_depend_on_how_the_text_came(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    cutter = SentenceCutter()

    fed = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    pieces = [piece for part in fed for piece in cutter.feed(part)] + cutter.finish()

    assert pieces == split_sentences(text)


@given(TEXTS)
def test_no_piece_is_blank_unless_the_text_is(text: str) -> None:
    pieces = split_sentences(text)

    assert all(piece.strip() for piece in pieces) or pieces == [text]


@given(TEXTS)
def test_no_piece_is_longer_than_the_longest(text: str) -> None:
    assert all(len(piece.strip()) <= LONGEST for piece in split_sentences(text))


@given(TEXTS)
def test_a_piece_holds_something_that_can_be_said(text: str) -> None:
    pieces = split_sentences(text)

    silent = [piece for piece in pieces if not any(char.isalnum() for char in piece)]
    assert all(len(piece.strip()) == LONGEST for piece in silent[:-1]) or not silent


def test_a_sentence_is_given_as_soon_as_the_next_begins() -> None:
    cutter = SentenceCutter()

    assert cutter.feed("Hello there.") == []
    assert cutter.feed(" ") == []
    assert cutter.feed("H") == ["Hello there. "]
    assert cutter.finish() == ["H"]


def test_a_cutter_that_has_finished_begins_anew() -> None:
    cutter = SentenceCutter()
    cutter.feed("One. Two")
    cutter.finish()

    assert cutter.feed("Three. Four") == ["Three. "]


def test_the_last_word_can_still_end_the_sentence_before_it() -> None:
    assert split_sentences("He lives in the U.S. They") == ["He lives in the U.S. ", "They"]


def test_text_without_stops_is_cut_behind_a_clause() -> None:
    pieces = split_sentences("we go on and on, " * 40)

    assert all(piece.endswith(", ") for piece in pieces)
    assert max(map(len, pieces)) > LONGEST / 2


def test_text_without_clauses_is_cut_between_words() -> None:
    assert all(piece.endswith("word ") for piece in split_sentences("word " * 200))


def test_wide_commas_need_no_blank() -> None:
    assert all(piece.endswith("，") for piece in split_sentences("你好你好你好，" * 80))


def test_an_early_comma_does_not_chop() -> None:
    pieces = split_sentences("Yes, " + "word " * 100)

    assert len(pieces[0]) > LONGEST / 2


@pytest.mark.parametrize("letter", ["👍🏽", "e\u0301", "👨‍👩‍👧", "각", "❤️"])
def test_a_letter_of_several_characters_is_not_cut(letter: str) -> None:
    pieces = split_sentences("x" + letter * 400)

    assert len(pieces) > 1
    assert all(len(piece.removeprefix("x")) % len(letter) == 0 for piece in pieces)


def test_a_letter_without_end_is_cut_all_the_same() -> None:
    assert [len(piece) for piece in split_sentences("e" + "\u0301" * 600)] == [250, 250, 101]


@pytest.mark.parametrize("bit", [" ", ". ", ".\n", "a. ", "(", "a.", "a,", "A. The", "."])
def test_long_text_of_the_worst_kind_is_read_in_linear_time(
    bit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = SentenceCutter._read

    def counted(self: SentenceCutter) -> int:
        nonlocal reads
        reads += 1
        return read(self)

    monkeypatch.setattr(SentenceCutter, "_read", counted)
    text = bit * (20_000 // len(bit))

    split_sentences(text)

    assert reads <= 4 * len(text)
