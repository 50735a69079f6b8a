from hypothesis import given
from hypothesis import strategies as st

from app.audio.converter import Converter
from app.speech.guard import foreign
from tests.standins.spelled import CHARACTER_BYTES, Passage, SpelledBank, read, spelled

TEXT = st.text(min_size=1, max_size=30)


@given(TEXT)
def test_what_was_spelled_is_read(text: str) -> None:
    assert read(spelled(7, text)) == [Passage(7, text)]


@given(TEXT, st.integers(1, CHARACTER_BYTES - 1), st.binary(max_size=200))
def test_a_character_that_is_not_whole_is_not_read(text: str, missing: int, between: bytes) -> None:
    heard = spelled(1, text)[:-missing] + b"\xff" * 100 + spelled(2, "next")

    passages = read(heard)

    assert "".join(passage.text for passage in passages if passage.generation == 1) == text[:-1]
    assert passages[-1] == Passage(2, "next")
    assert read(between) == []


def test_it_passes_for_audio() -> None:
    mulaw = spelled(1, "Hello { there <html>.")
    converter = Converter("ulaw_8000")

    assert foreign(mulaw) is None
    assert converter.feed(mulaw) + converter.finish() == mulaw


async def test_every_text_asked_for_is_a_generation_of_its_own() -> None:
    async with SpelledBank() as bank:
        one, other = await bank.audio("Yes.", "ulaw_8000"), await bank.audio("Yes.", "ulaw_8000")

    assert read(one + other) == [Passage(1, "Yes."), Passage(2, "Yes.")]
