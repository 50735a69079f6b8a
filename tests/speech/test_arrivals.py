import asyncio
from contextlib import aclosing

import pytest

from app import clock
from app.errors import Failure, ProviderError
from app.speech.arrivals import Arrivals
from app.speech.connection import Patience
from app.speech.port import Piece, Spoken
from tests.virtual_time import in_virtual_time

PATIENCE = Patience(connect_s=1.0, first_audio_s=2.0, gap_s=3.0)


async def taken(arrivals: Arrivals) -> list[Piece]:
    async with aclosing(arrivals.pieces(first_audio_s=PATIENCE.first_audio_s)) as pieces:
        return [piece async for piece in pieces]


async def test_pieces_come_out_in_order_until_the_end() -> None:
    arrivals = Arrivals("vendor", PATIENCE)
    arrivals.put(b"one")
    arrivals.put(Spoken(3, 1.0))
    arrivals.put(b"")
    arrivals.put(b"two")
    arrivals.end()

    assert await taken(arrivals) == [b"one", Spoken(3, 1.0), b"two"]


async def test_what_came_before_an_error_comes_out_first() -> None:
    arrivals = Arrivals("vendor", PATIENCE)
    arrivals.put(b"one")
    arrivals.fail(ProviderError("vendor", Failure.NETWORK))

    async with aclosing(arrivals.pieces(first_audio_s=1)) as pieces:
        assert await anext(pieces) == b"one"
        with pytest.raises(ProviderError, match="network"):
            await anext(pieces)


async def test_it_has_begun_with_the_first_piece_that_is_not_empty() -> None:
    arrivals = Arrivals("vendor", PATIENCE)
    arrivals.put(b"")
    before = arrivals.begun
    arrivals.put(b"one")

    assert (before, arrivals.begun) == (False, True)


@in_virtual_time
async def test_the_first_audio_and_each_gap_have_their_budgets() -> None:
    silent, stalled = Arrivals("vendor", PATIENCE), Arrivals("vendor", PATIENCE)
    stalled.put(b"one")
    waited = []
    for arrivals in (silent, stalled):
        began = clock.now()
        with pytest.raises(ProviderError) as failure:
            await taken(arrivals)
        waited.append(clock.now() - began)
        assert failure.value.kind == "timeout"

    assert waited == pytest.approx([2.0, 3.0])


@in_virtual_time
async def test_words_without_audio_do_not_keep_a_vendors_clock() -> None:
    arrivals = Arrivals("vendor", PATIENCE)

    async def chatter() -> None:
        for number in range(100):
            await asyncio.sleep(0.5)
            arrivals.put(Spoken(number, number))

    began = clock.now()
    task = asyncio.create_task(chatter())
    with pytest.raises(ProviderError):
        await taken(arrivals)
    waited = clock.now() - began
    task.cancel()

    assert waited == pytest.approx(2.0)
