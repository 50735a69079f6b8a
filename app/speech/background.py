"""Work that outlives one sentence but never its provider: sockets kept warm, late closes, child processes."""

import asyncio
from collections.abc import Coroutine
from typing import Protocol, Self

from app.log import log


class Retired(Protocol):
    """A connection to a vendor."""

    async def close(self) -> None:
        """With a goodbye, which takes its time."""

    def abort(self) -> None:
        """At once."""


class Background:
    """A task group that is emptied, not waited for, when its owner closes."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self.running = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self.running = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.running = False
        try:
            await asyncio.sleep(0)  # what was started just now begins, or its clean-up would never run
        finally:
            for task in self._tasks:
                task.cancel()
            # Not told of the owner's own exception, which would come out wrapped in a group.
            await self._group.__aexit__(None, None, None)

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Begin `work`, which is expected to deal with its own errors; cancelled before, it never begins."""
        task = self._group.create_task(_walled(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # what never began would be warned of
        return task

    def retire(self, socket: Retired) -> None:
        """Close a socket that nobody needs any more, without waiting for it."""
        if self.running:
            self.start(socket.close())
        else:  # a sentence outlived its provider
            socket.abort()


async def _walled(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except Exception:  # noqa: BLE001 - the outer wall: one error more would cancel the process's own task
        log.exception("speech.background_failed")
