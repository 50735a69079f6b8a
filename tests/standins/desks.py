"""A replica's desk on a real store, as tests open it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.calls.admission import Admission
from app.calls.desk import LocalDesk
from app.calls.reception import Policy, Reception
from app.calls.shared_desk import House, SharedDesk
from app.calls.shares import Shares
from app.calls.waiting import LocalLine
from app.capacity.store import Store
from tests.standins.redis import RedisServer

LONG = 30.0  # seconds for an answer: a loaded machine is not a store that is away
MOST_WAITING = 5


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again, for as long as a loaded machine may need."""
    async with asyncio.timeout(LONG):
        while not await is_so():  # noqa: ASYNC110 - what we wait for has no bell
            await asyncio.sleep(0.05)


@dataclass
class Gate:
    """Whether a replica takes calls."""

    is_open: bool = True


@asynccontextmanager
async def fleet_desk(
    server: RedisServer,
    replica: str,
    slots: int,
    shares: Shares | None = None,
    *,
    gate: Gate | None = None,
    url: str = "",
    within_s: float = LONG,
    most_waiting: int = MOST_WAITING,
) -> AsyncIterator[SharedDesk]:
    """One replica's; a new store is taken for an old one, so that nothing has to settle."""
    given, gate = shares or Shares(), gate or Gate()
    async with Store(url or server.url, within_s=within_s) as store:
        if store.available:
            await store.ask("HSETNX", store.key("server"), "run", store.run_id)
        admission = Admission(slots)
        reception = Reception(admission, line=LocalLine(most_waiting), policy=Policy(given))
        house = House(
            policy=lambda _room: Policy(given),
            max_waiting=most_waiting,
            reservation_s=15.0,
            secret=b"secret",
        )
        async with SharedDesk(
            store, replica, LocalDesk(reception, admission, lambda: gate.is_open), house
        ) as desk:
            yield desk
