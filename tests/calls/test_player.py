"""Frames onto the socket in time, with marks, and `clear` before everything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app import clock
from app.calls.player import LONGEST_QUEUE_MS, Player
from app.playout.marks import Fate
from tests.standins.phone import Phone
from tests.virtual_time import in_virtual_time

SECOND = bytes(range(160)) * 50  # mu-law; 50 frames


@asynccontextmanager
async def playing(phone: Phone) -> AsyncIterator[Player]:
    stream, _ = phone.stream()
    player = Player(stream, phone, lead_s=0.4)

    async def listen() -> None:
        while (text := await phone.receive()) is not None:
            event = stream.receive(text)
            player.returned(event.name, played=event.played)  # type: ignore[union-attr]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(player.run()), group.create_task(listen())]
        yield player
        for task in tasks:
            task.cancel()


@in_virtual_time
async def test_the_lead_leaves_at_once_and_the_rest_in_its_time() -> None:
    phone = Phone()
    async with playing(phone) as player:
        await player.put(SECOND)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert 0.38 <= len(phone.heard) / 8000 <= 0.42
        await asyncio.sleep(0.7)
        assert phone.heard == SECOND
        assert max(len(message["media"]["payload"]) for message in phone.sent) == 640


@in_virtual_time
async def test_a_sentence_is_heard_when_its_mark_is_back() -> None:
    phone = Phone()
    async with playing(phone) as player:
        await player.put(SECOND)
        player.mark("Hello.")
        await asyncio.sleep(0.9)
        assert player.count(Fate.OUTSTANDING) == 1
        await player.heard_all()
        assert player.marks.fates() == [("Hello.", Fate.PLAYED)]


@in_virtual_time
async def test_waiting_for_a_lost_mark_ends() -> None:
    phone = Phone(returns_marks=False)
    async with playing(phone) as player:
        await player.put(SECOND)
        player.mark("Hello.")
        began = clock.now()
        await player.heard_all()
        assert 3.9 < clock.now() - began < 4.1


@in_virtual_time
async def test_the_provider_waits_while_a_minute_of_audio_is_queued() -> None:
    phone = Phone()
    async with playing(phone) as player:
        began = clock.now()
        for _ in range(65):
            await player.put(SECOND)
        assert player.pacer.queued_ms <= LONGEST_QUEUE_MS + 1000
        assert 3.0 < clock.now() - began < 5.0


@in_virtual_time
async def test_nothing_old_follows_a_clear_even_when_the_socket_is_slow() -> None:
    phone = Phone()
    async with playing(phone) as player:
        phone.reads.clear()
        await player.put(SECOND)
        player.mark("Old.")
        await asyncio.sleep(0.01)  # a release of seven messages is in hand, the first of them on its way
        player.clear()
        phone.reads.set()
        await asyncio.sleep(1.0)

        assert phone.names() == ["media", "clear"]
        assert len(phone.sent) == 2
        assert player.marks.fates() == [("Old.", Fate.CLEARED)]


@in_virtual_time
async def test_marks_of_cleared_audio_are_not_heard_though_they_come_back() -> None:
    phone = Phone()
    async with playing(phone) as player:
        await player.put(SECOND[:1600])
        player.mark("Cleared.")
        await asyncio.sleep(0.05)
        player.clear()
        await asyncio.sleep(0.1)

        assert player.marks.fates() == [("Cleared.", Fate.CLEARED)]


@in_virtual_time
async def test_it_ends_when_the_socket_is_gone() -> None:
    phone = Phone()
    stream, _ = phone.stream()
    player = Player(stream, phone, lead_s=0.4)
    await phone.close(1000, "")
    await player.put(SECOND)

    await player.run()

    assert phone.sent == []
