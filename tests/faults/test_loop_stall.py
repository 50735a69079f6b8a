"""Fault 57: two seconds of work on the event loop: named in the log, no new call meanwhile, no lease lost."""

import asyncio
import time
from pathlib import Path

import httpx

from app.capacity.port import Rank
from app.capacity.redis import RedisPermits
from app.capacity.store import Store
from tests.journeys.conftest import events, hotline
from tests.standins.redis import RedisServer, needs_redis

LONG = 30.0


def work_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


@needs_redis
async def test_57_a_stall_is_named_in_the_log_makes_the_server_unready_and_loses_no_lease(
    tmp_path: Path,
) -> None:
    async with (
        RedisServer() as server,
        hotline(DATA_DIR=str(tmp_path), REDIS_URL=server.url, MAX_LOOP_LAG_MS="200") as url,
        Store(server.url, within_s=LONG) as store,
        RedisPermits(store, "v", 1) as permits,
        httpx.AsyncClient(base_url=url) as http,
        asyncio.timeout(20),
        permits.permit(Rank.TURN, wait_s=LONG),
    ):
        while (await http.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - no bell
            await asyncio.sleep(0.1)
        work_for(2.0)
        while (unready := await http.get("/readyz")).status_code == 200:  # noqa: ASYNC110 - no bell
            await asyncio.sleep(0.05)
        stalls = await events(url, event="loop.stalled")
        while (await http.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - no bell
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)  # renewed meanwhile

    assert "stood still" in unready.text
    assert any("work_for" in stall["stack"] and stall["stood_ms"] >= 1900 for stall in stalls)
    assert permits.counts.revived == 0
