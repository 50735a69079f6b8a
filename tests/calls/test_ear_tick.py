"""One tick for the ears of all calls."""

import asyncio

from app.audio.frame import SILENCE
from app.calls.ear_tick import EarTick
from app.hearing.ear import Ears, Event
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from tests.standins.voice import tone
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_each_ears_news_reach_its_own_reader_and_none_after_it_closed() -> None:
    tick = EarTick(Ears(VadBank(Silero.load())))
    first, second = tick.open(), tick.open()
    told: dict[str, list[Event]] = {"first": [], "second": []}
    tick.attach(first, told["first"].extend)
    tick.attach(second, told["second"].extend)
    key = bytes(a for pair in zip(tone(770, 0.1), tone(1336, 0.1), strict=True) for a in pair)[:800]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(tick.run())
        for at_ms in range(0, 400, 20):
            first.hear(at_ms, SILENCE * 160)
            second.hear(at_ms, SILENCE * 160)
            await asyncio.sleep(0.02)
        tick.close(second)
        first.hear(400, key)
        await asyncio.sleep(0.5)
        running.cancel()

    assert told["second"] == []
