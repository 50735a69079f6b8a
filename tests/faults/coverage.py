"""Whether what a caller heard is the text, complete and once."""

from app.speech.words import is_boundary, is_said, spans
from tests.standins.spelled import read


def squeezed(text: str) -> str:
    return "".join(text.split())


def words_of(text: str) -> list[str]:
    return [text[start:end] for start, end in spans(text)]


def assert_said_once(text: str, heard: bytes) -> None:
    """To the character, by however many voices; each began where a word begins."""
    passages = [squeezed(passage.text) for passage in read(heard)]
    said, whole = "".join(passages), squeezed(text)

    assert whole.startswith(said), (said, whole)
    assert not is_said(whole[len(said) :]), f"never said: {whole[len(said) :]}"
    ends = {len(squeezed(text[:end])) for end in range(len(text) + 1) if is_boundary(text, end)}
    at = 0
    for passage in passages:
        at += len(passage)
        assert at in ends, (passages, at)


def assert_every_word_said(text: str, heard: bytes) -> None:
    """Every word whole and once; of a word that was cut, a piece before it."""
    due = words_of(text)
    for passage in read(heard):
        said = words_of(passage.text)
        for number, word in enumerate(said):
            assert due, f"said though nothing was left: {said[number:]}"
            if word == due[0]:
                due.pop(0)
            else:
                assert number == len(said) - 1 and due[0].startswith(word), (word, due[0])
    assert not any(map(is_said, due)), f"never said: {due}"
