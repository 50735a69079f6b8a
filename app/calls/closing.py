"""The kill switch: a setting, a file that an operator puts down and takes away, or a word to the fleet."""

import asyncio
from pathlib import Path
from typing import Self

from app.calls.shared_closing import SharedSwitch
from app.log import log

FILE = "closed"
LOOK_S = 1.0  # seconds between two looks


class Closing:
    """Whether new calls are turned away; entered, it follows the file and the fleet's switch.

    Args:
        folder: of the operator's data; the file `closed` in it closes the house, whatever it holds.
        always: closed by the setting.
        fleet: moves for all replicas at once.
    """

    def __init__(
        self, folder: Path | None = None, *, always: bool = False, fleet: SharedSwitch | None = None
    ) -> None:
        self._path = folder / FILE if folder is not None else None
        self._always = always
        self._fleet = fleet
        self._by_file = False
        self._is_readable = True
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self.look()  # before the first call
        await self._group.__aenter__()
        self._task = self._group.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._task.cancel()
        await self._group.__aexit__(None, None, None)

    @property
    def reason(self) -> str:
        """Empty while calls are taken."""
        if self._always:
            return "closed by HOTLINE_CLOSED"
        if self._fleet is not None and self._fleet.is_closed:
            return "closed by the operator, on every replica"
        return "closed by the operator" if self._by_file else ""

    async def look(self) -> None:
        """See whether it was moved; where that cannot be seen, nothing changes."""
        if self._path is not None:
            await self._look_at_file(self._path)
        if self._fleet is not None:
            before = self._fleet.is_closed
            await self._fleet.look()
            if self._fleet.is_closed != before:
                log.warning("house.opened" if before else "house.closed", by="the store")

    async def _look_at_file(self, path: Path) -> None:
        before = self._by_file
        try:
            self._by_file = await asyncio.to_thread(_is_there, path)
        except OSError as error:
            if self._is_readable:
                log.error("house.switch_unreadable", fault=str(error))
            self._is_readable = False
            return
        self._is_readable = True
        if self._by_file != before:
            log.warning("house.closed" if self._by_file else "house.opened", by=str(path))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True
