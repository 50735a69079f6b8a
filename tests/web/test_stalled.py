"""Who takes nothing is cut, and who takes late is not."""

import asyncio

from app.web.stalled import TAKES_WITHIN_S, Stalled
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_who_takes_nothing_is_cut_and_who_takes_in_time_is_not() -> None:
    cuts: list[float] = []
    loop = asyncio.get_running_loop()
    stalled = Stalled(loop, lambda: cuts.append(loop.time()))
    began = loop.time()
    for _ in range(3):
        stalled.began()
        await asyncio.sleep(TAKES_WITHIN_S - 1)
        stalled.over()
    assert cuts == []

    stalled.began()
    await asyncio.sleep(2 * TAKES_WITHIN_S)

    assert cuts == [began + 3 * (TAKES_WITHIN_S - 1) + TAKES_WITHIN_S]
    stalled.over()
