"""The scripts, one by one, against a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.capacity.ledger import UNPLACED, Ledger
from app.capacity.store import Store, StoreAway
from tests.standins.redis import RedisServer, needs_redis

pytestmark = needs_redis


@asynccontextmanager
async def ledger(configured: int, most_waiting: int = 50, *, known: bool = True) -> AsyncIterator[Ledger]:
    async with RedisServer() as server, Store(server.url, within_s=20) as store:
        if known:  # not a new server: nobody has to say first what they hold
            await store.ask("HSET", store.key("server"), "run", store.run_id)
        yield Ledger(store, "v", configured, most_waiting)


async def outcomes(permits: Ledger, *ids: str) -> list[str]:
    return [(await permits.acquire(each)).outcome for each in ids]


async def test_who_finds_none_free_waits_and_is_served_in_order() -> None:
    async with ledger(1) as permits:
        assert await outcomes(permits, "a|1|0", "b|1|0", "c|1|0") == ["granted", "waiting", "waiting"]
        await permits.release(["a|1|0"])
        renewal = await permits.renew("x", [], [("b|1|0", UNPLACED), ("c|1|0", UNPLACED)])

    assert renewal.granted == ["b|1|0"]
    assert (renewal.standing.in_use, renewal.standing.waiting, renewal.standing.limit) == (1, 1, 1)


async def test_asking_twice_is_asking_once() -> None:
    async with ledger(1) as permits:
        assert await outcomes(permits, "a|1|0", "a|1|0") == ["granted", "granted"]
        first, second = await permits.acquire("b|1|0"), await permits.acquire("b|1|0")

    assert (first.place, first.outcome) == (second.place, "waiting")
    assert (second.standing.in_use, second.standing.waiting) == (1, 1)


async def test_rank_goes_before_arrival() -> None:
    async with ledger(1) as permits:
        await outcomes(permits, "a|1|0", "b|1|2", "b|2|1", "b|3|0")
        order = []
        for gone in ("a|1|0", "b|3|0", "b|2|1"):
            await permits.release([gone])
            waiting = [(each, UNPLACED) for each in ("b|1|2", "b|2|1", "b|3|0") if each not in order]
            order += [each for each in (await permits.renew("b", [], waiting)).granted if each not in order]

    assert order == ["b|3|0", "b|2|1", "b|1|2"]


async def test_what_nobody_waits_for_has_seven_tenths_at_most() -> None:
    async with ledger(10) as permits:
        got = await outcomes(permits, *(f"a|{number}|2" for number in range(10)))
        turn = await outcomes(permits, "a|11|0", "a|12|0", "a|13|0", "a|14|0")

    assert got == ["granted"] * 7 + ["waiting"] * 3
    assert turn == ["granted"] * 3 + ["waiting"]


async def test_a_full_line_is_refused_at_the_door() -> None:
    async with ledger(1, most_waiting=2) as permits:
        got = await outcomes(permits, *(f"a|{number}|0" for number in range(4)))

    assert got == ["granted", "waiting", "waiting", "full"]


async def test_what_was_given_back_is_not_revived_by_a_late_command() -> None:
    async with ledger(1) as permits:
        await permits.acquire("a|1|0")
        await permits.release(["a|1|0"])

        assert await outcomes(permits, "a|1|0") == ["gone"]
        renewal = await permits.renew("a", ["a|1|0"], [("a|1|0", UNPLACED)])

    assert (renewal.granted, renewal.revived, renewal.standing.in_use) == ([], [], 0)


async def test_who_asks_may_give_back_in_the_same_breath() -> None:
    async with ledger(1) as permits:
        await permits.acquire("a|1|0")

        assert (await permits.acquire("a|2|0", ["a|1|0"])).outcome == "granted"


async def test_a_lease_that_is_held_stands_again_above_the_limit_and_nobody_is_served_meanwhile() -> None:
    async with ledger(1) as permits:
        await outcomes(permits, "a|1|0", "b|1|0")
        renewal = await permits.renew("c", ["c|1|0"], [])
        assert (renewal.revived, renewal.above) == (["c|1|0"], 1)
        assert (renewal.held_elsewhere, renewal.waiting_elsewhere) == (1, 1)

        await permits.release(["a|1|0"])
        later = await permits.renew("b", [], [("b|1|0", UNPLACED)])

    assert (later.granted, later.standing.in_use) == ([], 1)


async def test_leases_and_waiters_of_the_dead_end_by_themselves() -> None:
    async with ledger(1) as permits:
        await outcomes(permits, "dead|1|0", "dead|2|0")
        async with asyncio.timeout(30):
            while (await permits.acquire("b|1|0")).outcome != "granted":
                await permits.renew("b", [], [("b|1|0", UNPLACED)])
                await asyncio.sleep(0.2)
        standing = (await permits.renew("b", ["b|1|0"], [])).standing

    assert (standing.in_use, standing.waiting) == (1, 0)


async def test_a_new_server_serves_nobody_before_all_could_say_what_they_hold() -> None:
    async with ledger(2, known=False) as permits:
        await permits.renew("a", ["a|1|0"], [("a|9|0", "7")], returning=True)
        assert await outcomes(permits, "b|1|0") == ["waiting"]
        await permits.renew("c", ["c|1|0"], [("c|4|0", "3")], returning=True)

        async with asyncio.timeout(30):
            await permits.release(["a|1|0"])
            waiting = [("a|9|0", "7"), ("b|1|0", UNPLACED), ("c|4|0", "3")]
            while not (served := (await permits.renew("x", ["c|1|0"], waiting)).granted):
                await asyncio.sleep(0.1)

    assert served == ["c|4|0"]  # the old places hold


async def test_the_vendors_word_and_its_refusals_lower_the_limit_for_all() -> None:
    async with ledger(10) as permits:
        assert (await permits.teach("6")).limit == 6
        await outcomes(permits, *(f"a|{number}|0" for number in range(4)))
        assert (await permits.teach(refused=True)).limit == 2
        assert (await permits.teach(refused=True)).limit == 2  # one burst, one lesson
        assert (await permits.teach("1")).limit == 1
        assert (await permits.teach("")).limit == 10


async def test_without_a_server_every_word_says_so() -> None:
    async with RedisServer() as server, Store(server.url) as store:
        server.kill()
        permits = Ledger(store, "v", 1, 1)
        for _ in range(2):
            with pytest.raises(StoreAway):
                await permits.acquire("a|1|0")
