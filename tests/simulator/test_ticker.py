"""The clock that all callers share."""

import asyncio

from app import clock
from app.simulator.ticker import PHASE_S, Histogram, Ticker
from tests.virtual_time import in_virtual_time


class Watcher:
    """Notes when it was ticked."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def tick(self) -> None:
        self.at.append(round(clock.now(), 6))


async def run(ticker: Ticker, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await ticker.run()
    except TimeoutError:
        return


@in_virtual_time
async def test_a_member_is_ticked_every_20_ms_for_as_long_as_it_belongs() -> None:
    ticker, watcher = Ticker(), Watcher()
    ticker.add(watcher)

    await run(ticker, 0.099)
    ticker.remove(watcher)
    await run(ticker, 0.1)

    steps = [round(after - before, 6) for before, after in zip(watcher.at, watcher.at[1:], strict=False)]
    assert steps == [0.02] * 4


@in_virtual_time
async def test_many_members_are_spread_over_the_20_ms() -> None:
    ticker, watchers = Ticker(), [Watcher() for _ in range(20)]
    for watcher in watchers:
        ticker.add(watcher)

    await run(ticker, 0.0199)

    first = min(watcher.at[0] for watcher in watchers)
    phases = sorted({round((watcher.at[0] - first) / PHASE_S) for watcher in watchers})
    assert phases == list(range(10))


class Slow(Watcher):
    """Holds up the loop once, as a busy machine does."""

    def tick(self) -> None:
        super().tick()
        if len(self.at) == 2:
            asyncio.get_running_loop().advance(0.110)  # type: ignore[attr-defined]


@in_virtual_time
async def test_late_ticks_are_made_up_for_and_the_deadline_does_not_move() -> None:
    ticker, slow = Ticker(), Slow()
    ticker.add(slow)

    await run(ticker, 0.299)

    since = [round(at - slow.at[0], 3) for at in slow.at]
    assert since == [0.0, 0.02, 0.13, 0.13, 0.13, 0.13, 0.13, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28]
    assert ticker.lateness_ms.percentile(1.0) in (89, 90)


def test_a_histogram_gives_the_nearest_rank() -> None:
    histogram = Histogram()
    for value in [0.4, 1.7, 2.0, 3.9, 5000.0, -1.0]:
        histogram.add(value)

    assert [histogram.percentile(share) for share in (0.01, 0.5, 0.66, 0.83, 1.0)] == [0, 1, 2, 3, 1000]
    assert Histogram().percentile(0.99) == 0
