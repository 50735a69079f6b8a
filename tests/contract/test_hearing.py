"""What every provider of ears promises; see `app/hearing/port.py`."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from app.hearing.local import LocalHearing
from app.hearing.port import Hearing, Listener, Transcript
from tests.hearing.callers import HOTLINE, answer, ask, spoken

PROVIDERS: dict[str, Callable[[], Hearing]] = {"local": lambda: LocalHearing(HOTLINE, sessions=2)}
FIRST, SECOND = "tour dates", "leave a message"


@pytest.fixture(scope="module")
def said() -> dict[str, bytes]:
    return spoken((FIRST, SECOND))


@pytest.fixture(params=PROVIDERS)
async def hearing(request: pytest.FixtureRequest) -> AsyncIterator[Hearing]:
    async with PROVIDERS[request.param]() as entered:
        yield entered


async def finals(listener: Listener, count: int) -> list[Transcript]:
    met: list[Transcript] = []
    async with asyncio.timeout(20):
        async for transcript in listener.transcripts():
            if transcript.final:
                met.append(transcript)
            if len(met) == count:
                break
    return met


async def test_it_has_a_name_and_can_be_used(hearing: Hearing) -> None:
    await hearing.ping()

    assert hearing.name in PROVIDERS


async def test_an_utterance_has_one_final_transcript(hearing: Hearing, said: dict[str, bytes]) -> None:
    async with hearing.listen() as listener:
        final = await ask(listener, said[FIRST])

    assert (final.text, final.final, final.utterance) == (FIRST, True, 1)
    assert 0 < final.confidence <= 1


async def test_utterances_are_numbered_and_answered_in_order(
    hearing: Hearing, said: dict[str, bytes]
) -> None:
    async with hearing.listen() as listener:
        for text in (FIRST, SECOND):
            listener.begin_utterance()
            listener.hear(said[text])
            listener.end_utterance()

        answers = await finals(listener, 2)

    assert [(given.utterance, given.text) for given in answers] == [(1, FIRST), (2, SECOND)]


async def test_words_come_before_the_end_of_the_utterance(hearing: Hearing, said: dict[str, bytes]) -> None:
    async with hearing.listen() as listener, asyncio.timeout(20):
        number = listener.begin_utterance()
        listener.hear(said[FIRST])
        early = await anext(aiter(listener.transcripts()))
        listener.end_utterance()

        assert (early.final, early.utterance) == (False, number)
        assert (await answer(listener, number)).text == FIRST


async def test_a_cancelled_utterance_gives_no_transcript(hearing: Hearing, said: dict[str, bytes]) -> None:
    async with hearing.listen() as listener:
        listener.begin_utterance()
        listener.hear(said[FIRST][:4000])
        listener.cancel_utterance()
        final = await ask(listener, said[SECOND])

    assert (final.utterance, final.text) == (2, SECOND)


async def test_silence_has_an_empty_final_transcript(hearing: Hearing) -> None:
    async with hearing.listen() as listener:
        assert (await ask(listener, b"\xff" * 8000)).text == ""


async def test_callers_at_the_same_time_are_kept_apart(hearing: Hearing, said: dict[str, bytes]) -> None:
    async with hearing.listen() as one, hearing.listen() as other:
        numbers = one.begin_utterance(), other.begin_utterance()
        for at in range(0, max(map(len, said.values())), 160):
            one.hear(said[FIRST][at : at + 160])
            other.hear(said[SECOND][at : at + 160])
        one.end_utterance()
        other.end_utterance()

        assert (await answer(one, numbers[0])).text == FIRST
        assert (await answer(other, numbers[1])).text == SECOND


async def test_leaving_in_the_middle_of_an_utterance_frees_the_session(
    hearing: Hearing, said: dict[str, bytes]
) -> None:
    for _ in range(5):  # more than there are places
        async with hearing.listen() as listener:
            listener.begin_utterance()
            listener.hear(said[FIRST][:4000])

    async with hearing.listen() as listener:
        assert (await ask(listener, said[SECOND])).text == SECOND


async def test_transcripts_end_with_the_session(hearing: Hearing) -> None:
    async with hearing.listen() as listener:
        listener.begin_utterance()

    async with asyncio.timeout(5):
        assert [transcript async for transcript in listener.transcripts()] == []


async def test_calls_in_the_wrong_order_are_harmless(hearing: Hearing, said: dict[str, bytes]) -> None:
    async with hearing.listen() as listener:
        listener.hear(said[FIRST])
        listener.end_utterance()
        listener.cancel_utterance()

        assert (await ask(listener, said[SECOND])).text == SECOND
