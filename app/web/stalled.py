"""Somebody who takes nothing of what we write."""

import asyncio
from collections.abc import Callable

TAKES_WITHIN_S = 30.0  # seconds; whoever reads at all has taken some 48 KiB by then


class Stalled:
    """Cuts a connection whose write buffer stays full for too long."""

    def __init__(self, loop: asyncio.AbstractEventLoop, cut: Callable[[], None]) -> None:
        self._loop = loop
        self._cut = cut
        self._timer: asyncio.TimerHandle | None = None

    def began(self) -> None:
        self.over()
        self._timer = self._loop.call_later(TAKES_WITHIN_S, self._cut)

    def over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
