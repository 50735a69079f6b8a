"""Fetches callers from the line as soon as there is a slot, and notices those who have gone."""

import asyncio
from collections.abc import Awaitable, Callable

from app.calls.desk import Desk
from app.log import log

LOOK_S = 0.2  # seconds; a slot is offered within a second, most of which the telephone network needs

Fetch = Callable[[str], Awaitable[bool]]


async def usher(desk: Desk, fetch: Fetch | None = None) -> None:
    """Run until cancelled; without `fetch` callers ask every second by themselves."""
    async with asyncio.TaskGroup() as group:
        while True:
            for call_sid in await desk.look():
                log.info("line.left", call_sid=call_sid, reason="no_longer_asking")
            if fetch is not None:
                for call_sid in await desk.due():
                    group.create_task(_fetch(fetch, call_sid))
            await asyncio.sleep(LOOK_S)


async def _fetch(fetch: Fetch, call_sid: str) -> None:
    fetched = await fetch(call_sid)
    log.info("line.fetched" if fetched else "line.not_fetched", call_sid=call_sid)
