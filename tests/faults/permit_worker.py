"""A worker of the check of permits: takes, holds, gives back and gives up at random, and writes it all down.

    python -m tests.faults.permit_worker URL NAME LIMIT SEED

Every line is one fact in JSON. It works through `RedisPermits`, as a server does. `at_ms` is the store's
clock, as the scripts told it; `noted_ms` is our own, which is the same one, since the store runs on this
machine. It stops asking at the end of its input.
"""

import asyncio
import hashlib
import json
import random
import sys
from dataclasses import dataclass
from typing import Any

from app import clock
from app.capacity import ledger
from app.capacity.ledger import NOTHING_NEW, Answer, Ledger, News, Renewal, Standing
from app.capacity.port import Rank
from app.capacity.redis import RedisPermits
from app.capacity.scripts import Script
from app.capacity.store import Store
from app.errors import AtCapacity
from app.log import configure

WORKERS = 3
ASKERS = 6  # of one worker, each with one wish at a time
LONGEST_HOLD_S = 0.4
LONGEST_WAIT_S = 6.0
REVIVED, ABOVE = (
    "revived",
    "above",
)  # sets of the check's own: answers get lost, and it must know all the same


def note(fact: str, **fields: Any) -> None:
    noted_ms = int(1000 * clock.wall().timestamp())
    sys.stdout.write(json.dumps({"fact": fact, "noted_ms": noted_ms, **fields}) + "\n")
    sys.stdout.flush()


class Watched(Ledger):
    """Writes down every answer of the store."""

    async def acquire(self, lease: str, leaving: Any = (), news: News = NOTHING_NEW) -> Answer:
        gone = list(leaving)
        note("asks", id=lease)
        answer = await super().acquire(lease, gone, news)
        at_ms = answer.standing.at_ms
        note(
            "answered", id=lease, outcome=answer.outcome, places={lease: answer.place}, ids=gone, at_ms=at_ms
        )
        return answer

    async def renew(self, owner: str, held: Any, waiting: Any, *, returning: bool = False) -> Renewal:
        renewal = await super().renew(owner, held, waiting, returning=returning)
        note("renewed", places=renewal.places, revived=renewal.revived, at_ms=renewal.standing.at_ms)
        return renewal

    async def release(self, leases: Any) -> Standing:
        gone = list(leases)
        standing = await super().release(gone)
        note("released", ids=gone, at_ms=standing.at_ms)
        return standing


@dataclass
class Asker:
    """One who wants a permit again and again."""

    permits: RedisPermits
    chance: random.Random
    stopping: asyncio.Event

    async def run(self) -> None:
        while not self.stopping.is_set():
            await asyncio.sleep(self.chance.random() * 0.1)
            wish = self.chance.choices(("use", "hang_up"), (4, 1))[0]
            note("begins", asker=id(self))
            try:
                if wish == "use":
                    await self._use()
                else:
                    async with asyncio.timeout(self.chance.random() * 0.5):
                        await self._use()
            except AtCapacity:
                note("ends", asker=id(self), how="at_capacity")
            except TimeoutError:
                note("ends", asker=id(self), how="hung_up")
            else:
                note("ends", asker=id(self), how="used")

    async def _use(self) -> None:
        rank = self.chance.choice(list(Rank))
        async with self.permits.permit(rank, wait_s=self.chance.random() * LONGEST_WAIT_S) as permit:
            note("holds", id=getattr(permit, "id", ""))
            await asyncio.sleep(self.chance.random() * LONGEST_HOLD_S)


def watch_the_revived() -> None:
    """The product's own script, which besides writes down whom it revives."""
    source = ledger.RENEW.source
    for known, names in (("revived[#revived + 1] = id", REVIVED), ("above = above + 1", ABOVE)):
        assert known in source
        source = source.replace(known, f"{known} redis.call('SADD', '{names}', id)")
    ledger.RENEW = Script("renew", source, hashlib.sha1(source.encode()).hexdigest())


async def work(url: str, name: str, limit: int, seed: int) -> None:
    chance = random.Random(seed)
    stopping = asyncio.Event()
    async with Store(url, within_s=0.5) as store:  # a loaded machine is no outage
        permits = RedisPermits(store, "v", limit, replica=name, replicas=lambda: WORKERS)
        permits._ledger = Watched(store, "v", limit, 500)
        async with permits, asyncio.TaskGroup() as group:
            askers = [group.create_task(Asker(permits, chance, stopping).run()) for _ in range(ASKERS)]
            await asyncio.to_thread(sys.stdin.read)
            stopping.set()
            await asyncio.wait(askers)
        note("stopped", revived=permits.counts.revived, above=permits.counts.above)


if __name__ == "__main__":
    configure(level="critical", style="json")
    watch_the_revived()
    asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
