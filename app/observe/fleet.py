"""Who else is there: every replica says so once a second, with what an operator may know of it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from app.capacity.scripts import Script
from app.capacity.store import Store, StoreAway
from app.log import log

BEAT_S = 1.0  # seconds between two words
DEAD_MS = 4000  # after the last word; so a death is seen within five seconds
LUA = Path(__file__).parent / "lua"
BEAT, ROLL_CALL = Script.read(LUA / "beat.lua"), Script.read(LUA / "roll_call.lua")

Status = Callable[[], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Replica:
    """One server, as it described itself last."""

    name: str
    age_ms: int
    """Since it said so."""
    status: Mapping[str, Any]


class Fleet:
    """The replicas; entered once for the life of the process, after the store.

    Args:
        store: where they meet.
        name: this server's, different on each.
        expected: replicas that are believed in until the store was asked once.
    """

    def __init__(self, store: Store, name: str, *, expected: int = 1) -> None:
        self.name = name
        self.describe: Status = dict
        """What this one says of itself, in values that JSON can hold."""
        self._store = store
        self._known = max(1, expected)
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        with suppress(StoreAway):
            await self._beat()
        group = await self._life.enter_async_context(asyncio.TaskGroup())
        self._life.callback(group.create_task(self._run()).cancel)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()
        with suppress(StoreAway):
            await self._store.ask("ZREM", self._names, self.name)

    @property
    def known(self) -> int:
        """How many there were when the store was last asked, this one included."""
        return self._known

    async def replicas(self) -> list[Replica]:
        """All that live, by name; only this one while the store is away."""
        try:
            told = await self._store.run(ROLL_CALL, [self._names], [self._store.key("replica", ""), DEAD_MS])
        except StoreAway:
            return [Replica(self.name, 0, dict(self.describe()))]
        found = [Replica(name.decode(), age_ms, json.loads(status)) for name, age_ms, status in told]
        return sorted(found, key=lambda replica: replica.name)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            with suppress(StoreAway):
                await self._beat()

    async def _beat(self) -> None:
        keys = [self._names, self._store.key("replica", self.name)]
        status = json.dumps(self.describe(), default=str)
        known = await self._store.run(BEAT, keys, [self.name, status, DEAD_MS])
        if known != self._known:
            log.info("fleet.changed", replicas=known, before=self._known)
        self._known = max(1, known)

    @property
    def _names(self) -> str:
        return self._store.key("replicas")
