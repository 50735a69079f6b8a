import asyncio

from app import clock
from app.capacity.port import Rank
from app.speech.telling import Telling
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_it_knows_when_its_listener_has_heard_all() -> None:
    began = clock.now()
    telling = Telling(" Hello.", Rank.TURN)
    assert (telling.rest, telling.dry_at) == ("Hello.", began)

    await asyncio.sleep(1)
    await telling.hand(b"\x01" * 16_000, "one")
    await telling.hand(b"\x01" * 8_000, "one")
    assert telling.dry_at == began + 4

    await asyncio.sleep(5)  # the listener has heard nothing for two seconds
    await telling.hand(b"\x01" * 8_000, "other")
    assert telling.dry_at == began + 7
    assert telling.voices == ["one", "other"]


@in_virtual_time
async def test_nothing_is_not_handed_out() -> None:
    telling = Telling("Hello.", Rank.TURN)
    await telling.hand(b"", "one")
    telling.reel.end()

    assert telling.voices == []
    assert [mulaw async for mulaw in telling.reel.frames()] == []
