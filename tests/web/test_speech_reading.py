"""A long text, said ahead of whoever takes the audio."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from app.errors import Failure, ProviderError
from app.speech.chain import Chain
from app.web.speech_reading import NEXT_SENTENCE_BELOW, Reading, sentences_of
from tests.standins.voice import ToneVoice


async def sentences(text: str) -> list[str]:
    return [sentence async for sentence in sentences_of(text)]


async def settled(voice: ToneVoice) -> int:
    """Sentences begun, once no more are."""
    said = -1
    async with asyncio.timeout(20):
        while said != len(voice.said):
            said = len(voice.said)
            await asyncio.sleep(0.05)
    return said


async def test_the_next_sentence_is_made_while_this_one_waits_to_be_taken() -> None:
    voice = ToneVoice(seconds=1.0)
    async with Chain([voice]) as chain, asyncio.TaskGroup() as group:
        reading = Reading(chain, "One is here. Two is here. Three is here.")
        group.create_task(reading.run())
        await settled(voice)
        assert voice.said == ["One is here. ", "Two is here. ", "Three is here."]
        mulaw = b"".join([piece async for piece in reading.pieces()])

    assert len(mulaw) == 3 * 8000


async def test_what_nobody_takes_is_not_made() -> None:
    voice = ToneVoice(seconds=1.0)
    async with Chain([voice]) as chain, asyncio.TaskGroup() as group:
        reading = Reading(chain, "This is a sentence. " * 100)
        work = group.create_task(reading.run())
        said = await settled(voice)
        work.cancel()

    assert said == NEXT_SENTENCE_BELOW // 8000
    assert voice.speaking == 0


async def test_a_voice_that_fails_midway_ends_the_pieces_and_says_why() -> None:
    voice = ToneVoice(failure=ProviderError("tone", Failure.TIMEOUT), fail_after=3)
    async with Chain([voice]) as chain, asyncio.TaskGroup() as group:
        reading = Reading(chain, "One is here. Two is here.")
        group.create_task(reading.run())
        pieces = [piece async for piece in reading.pieces()]

    assert pieces and reading.failure is not None
    assert reading.failure.kind is Failure.TIMEOUT
    assert "Two is here." not in voice.said


async def test_what_cannot_be_said_goes_with_its_neighbour() -> None:
    said = await sentences("-----\nHello there.\n*****\nGoodbye now.\n-----\n")

    assert "".join(said) == "-----\nHello there.\n*****\nGoodbye now.\n-----\n"
    assert all(any(map(str.isalnum, sentence)) for sentence in said)


async def test_a_flood_of_dashes_is_no_endless_sentence() -> None:
    said = await sentences("Hello there. " + "- " * 20_000 + "Goodbye now.")

    assert max(map(len, said)) <= 500
    assert said[0].startswith("Hello there.") and said[-1].endswith("Goodbye now.")


@given(st.text("abc .!?,\n\u3002é", max_size=2000))
def test_no_character_is_lost(text: str) -> None:
    if "a" in text:
        runs = max((len(run) for run in text.split("a")), default=0)
        if runs < 250:
            assert "".join(asyncio.run(sentences(text))) == text
