"""Who may use a recogniser: as many calls as the machine bears, then a line, first come, first served."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final, Self

from app.errors import AtCapacity, Failure, ProviderError
from app.hearing.port import OnPosition
from app.hearing.recogniser_process import NAME
from app.hearing.session import Session
from app.hearing.worker import MOST_UTTERANCES, SESSION_KB, Worker
from app.log import log

TALKERS_PER_CORE: Final = (
    20  # fill a core when all talk at once, a third of it as they do (`bench/hearing.py`)
)
FULL_TALKERS_PER_CORE: Final = 4  # with the whole language's model
FULL_SESSION_KB: Final = 100_000
MEMORY_SHARE: Final = 0.5  # of what is free at the start
WAIT_S: Final = 30.0  # in line; a caller who has waited longer goes on with keys


@dataclass(frozen=True, slots=True)
class Size:
    """How many processes there are, and for how many calls each."""

    workers: int
    slots: int

    @classmethod
    def of(cls, sessions: int, *, cores: int, full: bool = False) -> Self:
        """Room for so many calls, on as few processes as bear it and no more than cores are spared."""
        per_core = FULL_TALKERS_PER_CORE if full else TALKERS_PER_CORE
        workers = min(-(-sessions // per_core), spared(cores))
        return cls(workers, -(-sessions // workers))

    @classmethod
    def of_machine(cls, *, cores: int, free_kb: int, full: bool = False) -> Self:
        """What a machine bears beside the bridge itself."""
        per_core, each_kb = (
            (FULL_TALKERS_PER_CORE, FULL_SESSION_KB) if full else (TALKERS_PER_CORE, SESSION_KB)
        )
        return cls.of(
            max(1, min(spared(cores) * per_core, int(free_kb * MEMORY_SHARE) // each_kb)),
            cores=cores,
            full=full,
        )


def spared(cores: int) -> int:
    """Cores for recognisers: one is the bridge's, if there is more than one."""
    return max(1, cores - 1)


class _Waiter:
    """A call in line; it gets its place at the moment that one becomes free, so that nobody can slip in."""

    def __init__(self, session: Session, on_position: OnPosition | None) -> None:
        self.session = session
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_position = on_position
        self._told = 0

    def tell(self, position: int) -> None:
        if position != self._told:
            self._told = position
            if position:
                log.info("hearing.session_waiting", session=self.session.number, position=position)
            if self._on_position is not None:
                self._on_position(position)


class Pool:
    """The recognisers of this process; entered once."""

    def __init__(
        self,
        *,
        phrases: Sequence[str] = (),
        size: Size,
        full: bool = False,
        wait_s: float = WAIT_S,
        most_utterances: int = MOST_UTTERANCES,
    ) -> None:
        setup: dict[str, object] = {"phrases": list(phrases), "full": full}
        self._workers = [
            Worker(setup, size.slots, most_utterances=most_utterances, orphaned=self._rehouse)
            for _ in range(size.workers)
        ]
        self._wait_s = wait_s
        self._line: deque[_Waiter] = deque()
        self._numbers = count(1)
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start the processes; returns when each has recognised something.

        Raises:
            ProviderError: one does not start.
        """
        started: asyncio.Queue[ProviderError | None] = asyncio.Queue()
        await self._group.__aenter__()
        try:
            self._tasks = [self._group.create_task(worker.keep(started)) for worker in self._workers]
            for failure in [await started.get() for _ in self._workers]:
                if failure:
                    raise failure
        except BaseException:
            await self.__aexit__()
            raise
        log.info("hearing.pool_started", workers=len(self._workers), sessions=self.capacity)
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        # Not told of the owner's own exception, which would come out wrapped in a group.
        await self._group.__aexit__(None, None, None)

    @property
    def capacity(self) -> int:
        return sum(worker.slots for worker in self._workers)

    def status(self) -> dict[str, object]:
        """For `/pool` and `/status`."""
        allocated = sum(worker.taken for worker in self._workers)
        alive = sum(worker.alive for worker in self._workers)
        return {
            "capacity": self.capacity,
            "allocated": allocated,
            "free": self.capacity - allocated,
            "waiting": len(self._line),
            "recycled": sum(worker.replaced for worker in self._workers),
            "health": "ok" if alive == len(self._workers) else "degraded" if alive else "down",
            "workers": [
                {"pid": worker.pid, "alive": worker.alive, "allocated": worker.taken}
                for worker in self._workers
            ],
        }

    @asynccontextmanager
    async def session(
        self, phrases: Sequence[str] = (), *, on_position: OnPosition | None = None
    ) -> AsyncIterator[Session]:
        """A call's ears until it leaves. While it waits, `on_position` hears its place in line, at last 0.

        Raises:
            AtCapacity: none became free in time.
            ProviderError: no recogniser runs.
        """
        if all(worker.failing for worker in self._workers):
            raise ProviderError(NAME, Failure.CLOSED, "no recogniser process starts")
        session = Session(next(self._numbers), tuple(phrases))
        if not self._place(session):
            await self._in_line(_Waiter(session, on_position))
        try:
            yield session
        finally:
            self._leave(session)

    def _place(self, session: Session) -> bool:
        """Admit a call where there is most room; not if everything is taken, or others wait for it."""
        free = [worker for worker in self._workers if worker.taken < worker.slots]
        if not free or self._line:
            return False
        max(free, key=lambda worker: (worker.alive, worker.slots - worker.taken)).admit(session)
        return True

    def _rehouse(self, orphans: Worker) -> None:
        """A process has died: its calls go on in others that have room; the rest wait for its successor."""
        for session in orphans.sessions:
            others = [worker for worker in self._workers if worker.alive and worker.taken < worker.slots]
            if not others:
                return
            orphans.release(session)
            min(others, key=lambda worker: worker.taken).admit(session)

    async def _in_line(self, waiter: _Waiter) -> None:
        self._line.append(waiter)
        waiter.tell(len(self._line))
        try:
            async with asyncio.timeout(self._wait_s):
                await asyncio.shield(waiter.turn)
        except BaseException as error:
            if waiter.turn.done():  # its turn came at the very moment it gave up
                self._leave(waiter.session)
            else:
                self._line.remove(waiter)
                self._tell_positions()
            if isinstance(error, TimeoutError):
                raise AtCapacity(f"no recogniser became free within {self._wait_s:g} s") from error
            raise

    def _leave(self, session: Session) -> None:
        worker = next(worker for worker in self._workers if session in worker.sessions)
        worker.dismiss(session)
        if self._line:
            first = self._line.popleft()
            worker.admit(first.session)
            first.turn.set_result(None)
            first.tell(0)
            self._tell_positions()

    def _tell_positions(self) -> None:
        for position, waiter in enumerate(self._line, 1):
            waiter.tell(position)
