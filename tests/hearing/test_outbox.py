import asyncio

import pytest

from app.errors import Failure, ProviderError
from app.hearing.outbox import MOST, Outbox
from app.hearing.port import Transcript


def interim(text: str, utterance: int = 1) -> Transcript:
    return Transcript(text, False, utterance)


def final(text: str, utterance: int = 1) -> Transcript:
    return Transcript(text, True, utterance)


async def test_transcripts_are_read_in_order_until_the_close() -> None:
    outbox = Outbox()
    outbox.put(final("one"))
    outbox.put(final("two", 2))
    outbox.close()

    assert [transcript.text async for transcript in outbox.read()] == ["one", "two"]


async def test_a_reader_that_waits_is_woken_by_news_and_by_the_close() -> None:
    outbox = Outbox()

    async def read() -> list[str]:
        return [transcript.text async for transcript in outbox.read()]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    outbox.put(final("late"))
    await asyncio.sleep(0)
    outbox.close()

    assert await reading == ["late"]


async def test_an_interim_transcript_gives_way_to_a_newer_one_of_its_utterance() -> None:
    outbox = Outbox()
    for transcript in (interim("a"), interim("a b"), final("a b c"), interim("x", 2), interim("y", 3)):
        outbox.put(transcript)
    outbox.close()

    assert [transcript.text async for transcript in outbox.read()] == ["a b c", "x", "y"]


async def test_what_nobody_reads_does_not_pile_up() -> None:
    outbox = Outbox()
    for number in range(MOST + 5):
        outbox.put(final(str(number), number))
    outbox.close()

    texts = [transcript.text async for transcript in outbox.read()]
    assert (len(texts), texts[0]) == (MOST, "5")


async def test_the_error_comes_after_the_last_transcript_and_is_the_first_one() -> None:
    outbox = Outbox()
    outbox.put(final("last"))
    outbox.close(ProviderError("x", Failure.QUOTA))
    outbox.close()
    reading = aiter(outbox.read())

    assert (await anext(reading)).text == "last"
    with pytest.raises(ProviderError) as failure:
        await anext(reading)
    assert failure.value.kind == "quota"
