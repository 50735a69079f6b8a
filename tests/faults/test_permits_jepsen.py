"""Shared permits under everything at once: three workers, and somebody who kills, stops and parts them.

Snapshots of the store are taken all the while, each in one script and by the store's clock, and held against
what the workers wrote down. PERMITS_CHECK_ROUNDS makes it longer, PERMITS_CHECK_SEED another one.

What is promised of order, and held to the letter: a place in the line is given once, later ones to whoever
asks later; it is kept, also by a store that was emptied; and nobody is served while another of the same rank
stands in the line at an earlier place. When somebody was first seen in a snapshot says nothing: one who had
a place before the store was emptied is seen there after those who came meanwhile, and rightly served before.
"""

import asyncio
import json
import os
import random
import signal
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.exceptions import RedisError

from app import clock
from app.capacity.ledger import UNPLACED
from app.capacity.store import Store
from tests.faults.permit_worker import ABOVE, REVIVED, WORKERS
from tests.standins.redis import Proxy, RedisServer, needs_redis, until

LIMIT = 3
ROUNDS = int(os.environ.get("PERMITS_CHECK_ROUNDS", "1"))
SEED = int(os.environ.get("PERMITS_CHECK_SEED", "7"))
SAMPLE_S = 0.01
CALM_S = 5.0  # between two rounds; waits end only then by themselves
CALMING_S = 2.5  # until whoever was away is back
UNWOKEN_MS = 1500  # in calm: many times the net of polls that catches whoever was not woken
QUIET_WITHIN_S = 60.0
LOOK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return { now, redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf'),
  redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES'), redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES'),
  redis.call('SMEMBERS', KEYS[4]), redis.call('SMEMBERS', KEYS[5]) }
"""


@dataclass(frozen=True)
class Snapshot:
    """What the store knew at one moment."""

    at_ms: int
    held: frozenset[str]
    line: dict[str, int]
    """Place by id."""
    alive: dict[str, int]
    """Until when somebody surely waits there, by id."""


@dataclass
class Worker:
    """One process, and what it wrote down."""

    name: str
    process: asyncio.subprocess.Process
    facts: list[dict[str, Any]] = field(default_factory=list)
    killed: bool = False

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for written in self.process.stdout:
            with suppress(ValueError):  # the last line of one that was killed
                self.facts.append(json.loads(written))


@dataclass
class Record:
    """All that is known of one run."""

    snapshots: list[Snapshot] = field(default_factory=list)
    above: set[str] = field(default_factory=set)
    """Who was in use without a lease, while there was none to be had."""
    revived: set[str] = field(default_factory=set)
    """These, and those who found one: whom a replica served by itself, or whose lease was lost."""
    workers: list[Worker] = field(default_factory=list)
    emptied_at: list[int] = field(default_factory=list)
    calm: list[tuple[int, int]] = field(default_factory=list)
    """From when until when nobody was tormented."""

    def killed_owners(self) -> Iterable[str]:
        """What the ids of workers that were killed begin with."""
        return (f"{worker.name}-" for worker in self.workers if worker.killed)

    def facts(self, *kinds: str) -> Iterable[dict[str, Any]]:
        return (each for worker in self.workers for each in worker.facts if each["fact"] in kinds)


class Check:
    """One run."""

    def __init__(self, server: RedisServer, proxy: Proxy, group: asyncio.TaskGroup) -> None:
        self.record = Record()
        self.chance = random.Random(SEED)
        self.over = False
        self._server = server
        self._proxy = proxy
        self._group = group
        self._live: list[Worker] = []
        self._named = 0

    async def start_worker(self, url: str) -> None:
        self._named += 1
        name, seed = f"w{self._named}", str(100 * SEED + self._named)
        arguments = ("-m", "tests.faults.permit_worker", url, name, str(LIMIT), seed)
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        worker = Worker(name, process)
        self._group.create_task(worker.read())
        self.record.workers.append(worker)
        self._live.append(worker)

    async def are_up(self) -> None:
        await until(lambda: all(worker.facts for worker in self._live))

    async def watch(self) -> None:
        """Take snapshots until all is over."""
        names = Store("redis://unused")
        keys = [*(names.key("permits", "v", each) for each in ("held", "line", "alive")), ABOVE, REVIVED]
        while not self.over:
            with suppress(RedisError, OSError):
                async with self._server.link() as link:
                    while not self.over:
                        self._keep(await link.execute_command("EVAL", LOOK, len(keys), *keys))  # type: ignore[no-untyped-call]
                        await asyncio.sleep(SAMPLE_S)
            await asyncio.sleep(SAMPLE_S)

    def _keep(self, told: list[Any]) -> None:
        at_ms, held, line, alive, above, revived = told
        self.record.above |= {each.decode() for each in above}
        self.record.revived |= {each.decode() for each in revived}
        ids = frozenset(each.decode() for each in held)
        self.record.snapshots.append(Snapshot(at_ms, ids, _scores(line), _scores(alive)))

    async def kill(self) -> None:
        victim = self._live.pop(0)
        victim.killed = True
        victim.process.kill()
        await self.start_worker(self._server.url)

    async def stop(self) -> None:
        victim = self.chance.choice(self._live)
        victim.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1 + 5 * self.chance.random())
        victim.process.send_signal(signal.SIGCONT)

    async def pause(self) -> None:
        await self._server.pause(round(1000 + 1500 * self.chance.random()))

    async def restart(self) -> None:
        self._server.kill()
        self.record.emptied_at.append(now_ms())
        await self._server.start()

    async def part(self) -> None:
        (self._proxy.hold if self.chance.random() < 0.5 else self._proxy.part)()
        await asyncio.sleep(1 + 2 * self.chance.random())
        self._proxy.heal()

    async def torment(self) -> None:
        for _ in range(ROUNDS):
            plan: list[Callable[[], Awaitable[None]]] = [
                self.kill, self.stop, self.pause, self.restart, self.part,
            ]  # fmt: skip
            self.chance.shuffle(plan)
            for nemesis in plan:
                await nemesis()
                await asyncio.sleep(0.3 + self.chance.random())
            await asyncio.sleep(CALMING_S)
            calm_since = now_ms()
            await asyncio.sleep(CALM_S - CALMING_S)
            self.record.calm.append((calm_since, now_ms()))

    async def quiet(self) -> None:
        """Everybody has had enough: nobody asks any more, and what the dead held runs out."""
        for worker in self._live:
            assert worker.process.stdin is not None
            worker.process.stdin.close()
        async with asyncio.timeout(QUIET_WITHIN_S):
            for worker in self.record.workers:
                await worker.process.wait()
        await until(lambda: not (self.record.snapshots[-1].held or self.record.snapshots[-1].line))


def now_ms() -> int:
    return int(1000 * clock.wall().timestamp())


def _scores(told: list[Any]) -> dict[str, int]:
    return {told[n].decode(): int(float(told[n + 1])) for n in range(0, len(told), 2)}


@needs_redis
@pytest.mark.slow
async def test_permits_hold_under_everything_at_once() -> None:
    async with RedisServer() as server, Proxy(server.port) as proxy, asyncio.TaskGroup() as group:
        check = Check(server, proxy, group)
        for url in (server.url, proxy.url, server.url)[:WORKERS]:
            await check.start_worker(url)
        group.create_task(check.watch())
        try:
            await check.are_up()
            await check.torment()
            await check.quiet()
        finally:
            check.over = True
            for worker in check.record.workers:
                if worker.process.returncode is None:
                    worker.process.kill()
    record = check.record
    granted = {each["id"] for each in record.facts("holds")}
    print(len(granted), "permits,", len(record.snapshots), "snapshots;", len(record.revived), "revived,")  # noqa: T201
    print(len(record.above), "of these above the limit")  # noqa: T201

    assert [worker.process.returncode for worker in record.workers if not worker.killed] == [0] * WORKERS
    assert over_the_limit(record) == []
    assert placed_out_of_order(record) == []
    assert moved(record) == []
    assert overtaken(record) == []
    assert unwoken(record) == []
    assert unended(record) == []
    assert after_the_end(record) == []
    assert len(granted) > 30 * ROUNDS


def over_the_limit(record: Record) -> list[tuple[int, list[str]]]:
    """Moments at which more leases stood than may, besides those that were in use whatever the store knew."""
    return [
        (snapshot.at_ms, sorted(strict))
        for snapshot in record.snapshots
        if len(strict := snapshot.held - record.above) > LIMIT
    ]


def told_places(record: Record) -> dict[str, list[tuple[int, int]]]:
    """The places that workers were told, and when, by id."""
    told = defaultdict(list)
    for fact in record.facts("answered", "renewed"):
        for each, place in fact["places"].items():
            if place != UNPLACED:
                told[each].append((fact["at_ms"], int(place)))
    return told


def placed_out_of_order(record: Record) -> list[tuple[str, str]]:
    """Who has a later place than one of the same rank who asked only after they had been told it."""
    told = {each: min(places) for each, places in told_places(record).items()}
    asked = sorted((fact["noted_ms"], fact["id"]) for fact in record.facts("asks") if fact["id"] in told)
    return [
        (first, later)
        for asked_ms, later in asked
        for first, (at_ms, place) in told.items()
        if at_ms < asked_ms and rank_of(first) == rank_of(later) and place >= told[later][1]
    ]


def moved(record: Record) -> list[tuple[str, list[int]]]:
    """Who was told of a place, and later of another."""
    places = {each: {place for _, place in told} for each, told in told_places(record).items()}
    return [(each, sorted(several)) for each, several in places.items() if len(several) > 1]


def overtaken(record: Record) -> list[tuple[int, str, str]]:
    """Who was served while another of the same rank stood at an earlier place, for all of the time.

    Not of the line is who was not heard of for two seconds (the store stood still, or their worker did): the
    old place is taken again with the next word. And who got a share of the replica's own is not served by the
    line.
    """
    told = {each: places[0][1] for each, places in told_places(record).items()}
    found = []
    for before, now in zip(record.snapshots, record.snapshots[1:], strict=False):
        stood = {each: place for each, place in before.line.items() if before.alive.get(each, 0) > now.at_ms}
        for served in now.held - before.held - record.revived:
            place = before.line.get(served, told.get(served, sys.maxsize))  # neither: it came only now
            passed = [each for each in stood.keys() & now.line.keys() if rank_of(each) == rank_of(served)]
            found += [(now.at_ms, served, each) for each in passed if stood[each] < place]
    return found


def unwoken(record: Record) -> list[tuple[str, int]]:
    """Who had leave for long, in calm, and did not know."""
    known = {fact["id"]: fact["noted_ms"] for fact in record.facts("holds")}
    longest: dict[str, int] = defaultdict(int)
    for since, until_ms in record.calm:
        first: dict[str, int] = {}
        for snapshot in record.snapshots:
            if since <= snapshot.at_ms <= until_ms:
                for each in snapshot.held - record.revived:
                    began = first.setdefault(each, snapshot.at_ms)
                    if snapshot.at_ms < known.get(each, sys.maxsize):
                        longest[each] = max(longest[each], snapshot.at_ms - began)
    dead = tuple(record.killed_owners())
    return [(each, ms) for each, ms in longest.items() if ms > UNWOKEN_MS and not each.startswith(dead)]


def rank_of(lease: str) -> str:
    return lease.rpartition("|")[2]


def unended(record: Record) -> list[int]:
    """Wishes that never came to an end, of workers that were not killed."""
    open_wishes: dict[int, int] = defaultdict(int)
    for number, worker in enumerate(record.workers):
        for each in worker.facts if not worker.killed else []:
            if each["fact"] in ("begins", "ends"):
                open_wishes[number] += 1 if each["fact"] == "begins" else -1
    return [number for number, count in open_wishes.items() if count]


def after_the_end(record: Record) -> list[tuple[int, str]]:
    """Ids that hold a lease after the store was told that they are given back, or given up."""
    ended: dict[str, int] = {}
    for each in record.facts("released", "answered"):
        ended |= {gone: each["at_ms"] for gone in each["ids"] if gone not in ended}
    return [
        (snapshot.at_ms, each)
        for snapshot in record.snapshots
        for each in snapshot.held & ended.keys()
        # A store that was emptied forgot that, too: what was on its way to it may be believed for one lease.
        if snapshot.at_ms > ended[each]
        and not any(ended[each] <= at <= snapshot.at_ms for at in record.emptied_at)
    ]
