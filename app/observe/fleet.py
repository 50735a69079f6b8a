"""Who else is there: every replica says so again and again, with what an operator may know of it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from app.capacity.scripts import Script
from app.capacity.store import Store, StoreAway
from app.log import log

BEAT_S = 0.8  # seconds between two words
DEAD_MS = 4000  # after the last word; with one more beat a death is known everywhere within five seconds
LUA = Path(__file__).parent / "lua"
BEAT, ROLL_CALL = Script.read(LUA / "beat.lua"), Script.read(LUA / "roll_call.lua")

Status = Callable[[], Mapping[str, object]]


class Reach(StrEnum):
    """Of whom an answer tells."""

    ALONE = "none"  # there is no store: this process is all there is
    FLEET = "ready"  # all replicas
    AWAY = "away"  # the store does not answer: this process, whoever else there is


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
        """What this one says of itself, in values that JSON can hold; under `calls` numbers of calls."""
        self._store = store
        self._expected = max(1, expected)
        self._briefs: dict[str, dict[str, int]] = {}
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
            await self._store.tell([("ZREM", self._names, self.name), ("HDEL", self._kept_briefs, self.name)])

    @property
    def known(self) -> int:
        """How many there were when the store was last asked, this one included."""
        return len(self._briefs) or self._expected

    @property
    def briefs(self) -> Mapping[str, Mapping[str, int]]:
        """The numbers of calls that each told last, by name: known without asking, a second old."""
        return self._briefs

    @property
    def reach(self) -> Reach:
        """Whether the others can be asked about now."""
        return Reach.FLEET if self._store.available else Reach.AWAY

    async def replicas(self) -> list[Replica]:
        """All that live, by name, this one as it is now; only this one while the store is away."""
        own = Replica(self.name, 0, dict(self.describe()))
        try:
            told = await self._store.run(ROLL_CALL, [self._names], [self._store.key("replica", ""), DEAD_MS])
        except StoreAway:
            return [own]
        found = [Replica(name.decode(), age_ms, _read(status)) for name, age_ms, status in told]
        others = [replica for replica in found if replica.name != self.name]
        return sorted([own, *others], key=lambda replica: replica.name)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            with suppress(StoreAway):
                await self._beat()

    async def _beat(self) -> None:
        keys = [self._names, self._kept_briefs, self._store.key("replica", self.name)]
        status = self.describe()
        brief = json.dumps(_numbers(status.get("calls")))
        told = await self._store.run(BEAT, keys, [self.name, json.dumps(status, default=str), brief, DEAD_MS])
        before = self._briefs
        self._briefs = {name.decode(): _numbers(_read(written)) for name, written in told}
        come, gone = self._briefs.keys() - before.keys(), before.keys() - self._briefs.keys()
        if come or gone:
            log.info("fleet.changed", replicas=self.known, come=sorted(come), gone=sorted(gone))

    @property
    def _names(self) -> str:
        return self._store.key("replicas")

    @property
    def _kept_briefs(self) -> str:
        return self._store.key("replicas", "briefs")


def _read(written: bytes) -> Mapping[str, Any]:
    """Another version of hotline may have written it."""
    try:
        read = json.loads(written)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _numbers(told: object) -> dict[str, int]:
    return (
        {key: value for key, value in told.items() if isinstance(value, int)}
        if isinstance(told, dict)
        else {}
    )
