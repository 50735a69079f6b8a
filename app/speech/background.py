"""Work that outlives one sentence but never its provider: sockets kept warm, late closes, child processes."""

import asyncio
from collections.abc import Coroutine
from typing import Self


class Background:
    """A task group that is emptied, not waited for, when its owner closes.

    What is started here must not raise: one failure would cancel the task that entered the group.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        # Not told of the owner's own exception, which would come out wrapped in a group.
        await self._group.__aexit__(None, None, None)

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
