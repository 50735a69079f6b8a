"""The ledger of this process with a clock and a file: what was spent is still known after a restart.

Where replicas share a store, its limits hold for all of them together.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

import msgspec

from app import clock
from app.calls.budget import Period, Reached, shown
from app.calls.spending import Allowance, Elsewhere, Kept, Ledger, Nowhere, Party
from app.calls.usage import Used
from app.log import log

FILE = "spending.json"
SAVE_EVERY_S = 3.0  # seconds; what a crash may cost of the counts
LOOK_EVERY_S = 1.0  # seconds between two looks at the budget


class Others(Elsewhere, Protocol):
    """The other replicas."""

    async def exchange(self, ledger: Ledger) -> None:
        """Tell them what is new, and learn what is new to us, should that be possible now."""

    async def run(self, ledger: Ledger) -> None:
        """Exchange until cancelled."""

    def hurry(self) -> None:
        """Something was counted that they should know of at once."""

    async def claim(self, news: Reached) -> bool:
        """Whether it is for this replica to tell."""


class NoOthers(Nowhere):
    """One process is all there is."""

    async def exchange(self, ledger: Ledger) -> None:
        pass

    async def run(self, ledger: Ledger) -> None:
        pass

    def hurry(self) -> None:
        pass

    async def claim(self, news: Reached) -> bool:
        return True


class Purse:
    """Counts from the start; entered, it also remembers, and tells of the budget in the event stream.

    Args:
        folder: of the operator's data; None keeps nothing.
        others: replicas whose use counts as well.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        allowance: Allowance | None = None,
        folder: Path | None = None,
        *,
        others: Others | None = None,
        wall: Callable[[], float] = lambda: clock.wall().timestamp(),
    ) -> None:
        self._others = others or NoOthers()
        self._ledger = Ledger(allowance or Allowance(), elsewhere=self._others)
        self._path = folder / FILE if folder is not None else None
        self._wall = wall
        self._is_changed = False
        self._works = True
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        if self._path is not None:
            kept, fault = await asyncio.to_thread(_read, self._path)
            if fault:
                log.error("spending.damaged", fault=fault, file=str(_aside(self._path)))
            self._ledger = Ledger(self._ledger.allowance, kept, self._others)
        await self._group.__aenter__()
        await self._others.exchange(self._ledger)  # before the first call
        running = (self._run(), self._others.run(self._ledger))
        self._tasks = [self._group.create_task(each) for each in running]
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)
        await self._others.exchange(self._ledger)
        await self.save()

    def note(self, party: Party | None, used: Used, *, cost: int = 0, at: float | None = None) -> float:
        """Something was used; returns when, so that it can be given back."""
        at = self._wall() if at is None else at
        self._ledger.note(party, used, at, cost=cost)
        self._is_changed = True
        if used.calls:
            self._others.hurry()
        return at

    def over(self, party: Party) -> str:
        """Why a call of these two cannot be taken; empty: it can."""
        return self._ledger.over(party, self._wall())

    @property
    def exhausted(self) -> str:
        """Which budget is spent; empty: none."""
        return self._ledger.exhausted(self._wall())

    @property
    def closed(self) -> str:
        """Why nobody's call can be taken; empty: somebody's can."""
        return self._ledger.closed(self._wall())

    def spent(self, period: Period) -> float:
        """In whole units of the currency."""
        return self._ledger.spent(period, self._wall()) / 1_000_000

    def status(self) -> dict[str, object]:
        return self._ledger.status(self._wall())

    async def look(self) -> None:
        """Say what has become of the budget, and forget callers of yesterday."""
        now, currency = self._wall(), self._ledger.allowance.budget.currency
        for news in self._ledger.news(now):
            self._is_changed = True
            if isinstance(news, Reached):
                if not await self._others.claim(news):
                    continue
                log.warning(
                    "budget.reached",
                    period=news.period,
                    percent=news.percent,
                    spent=shown(news.spent),
                    budget=shown(news.budget),
                    currency=currency,
                )
            else:
                log.info("budget.renewed", period=news.period, levels=list(news.levels))
        self._is_changed |= self._ledger.forget(now)

    async def save(self) -> None:
        """Write what has changed; a disk that cannot be written is told once, and calls go on."""
        if self._path is None or not self._is_changed:
            return
        self._is_changed = False
        fault = await asyncio.to_thread(_write, self._path, msgspec.json.encode(self._ledger.kept()))
        if fault and self._works:
            log.error("spending.not_written", fault=fault, file=str(self._path))
        self._is_changed |= bool(fault)
        self._works = not fault

    async def _run(self) -> None:
        saved_at = clock.now()
        while True:
            await self.look()
            if clock.now() - saved_at >= SAVE_EVERY_S:
                await self.save()
                saved_at = clock.now()
            await asyncio.sleep(LOOK_EVERY_S)


def _read(path: Path) -> tuple[Kept | None, str]:
    """What was kept; of a file that cannot be used only why, and it is set aside for the operator."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept), ""
    except FileNotFoundError:
        return None, ""
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        with suppress(OSError):  # what cannot be moved is overwritten, or told of when that fails too
            os.replace(path, _aside(path))
        return None, str(error)


def _aside(path: Path) -> Path:
    return path.with_suffix(".damaged")


def _write(path: Path, content: bytes) -> str:
    """Put it in place of the old one at once; why not, where it failed."""
    unfinished = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Readable by its owner alone, for it holds numbers of callers.
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        return str(error)
    return ""
