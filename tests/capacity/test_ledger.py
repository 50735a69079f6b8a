"""The scripts, one by one, against a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.capacity.effective import EffectiveLimit
from app.capacity.ledger import UNPLACED, Ledger, News
from app.capacity.store import PROBE_S, Store, StoreAway
from tests.standins.redis import RedisServer, needs_redis

pytestmark = needs_redis


@asynccontextmanager
async def ledger(
    configured: int | None, most_waiting: int = 50, *, known: bool = True
) -> AsyncIterator[Ledger]:
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
        told = await permits.renew("a", ["a|1|0"], [("a|9|0", "7")], returning=True)
        quiet_until = int(await permits.store.ask("HGET", permits.store.key("server"), "quiet_until"))
        assert quiet_until - told.standing.at_ms + 1000 * PROBE_S <= 2000  # all is as ever within two seconds
        assert await outcomes(permits, "b|1|0") == ["waiting"]
        await permits.renew("c", ["c|1|0"], [("c|4|0", "3")], returning=True)

        async with asyncio.timeout(30):
            await permits.release(["a|1|0"])
            waiting = [("a|9|0", "7"), ("b|1|0", UNPLACED), ("c|4|0", "3")]
            while not (served := (await permits.renew("x", ["c|1|0"], waiting)).granted):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)

    assert served == ["c|4|0"]  # the old places hold


async def test_the_vendors_word_and_its_refusals_lower_the_limit_for_all() -> None:
    async with ledger(10) as permits:
        told = await permits.teach(News("6"))
        assert (told.limit, told.vendor) == (5, 6)  # a margin is left
        await outcomes(permits, *(f"a|{number}|0" for number in range(4)))
        assert (await permits.teach(News(refusals=1))).limit == 3
        assert (await permits.teach(News(refusals=2))).limit == 1  # of a burst each counts
        assert (await permits.teach(News("1"))).limit == 1
        forgotten = await permits.teach(News(""))
        assert (forgotten.limit, forgotten.vendor) == (
            10,
            0,
        )  # no more than one was ever allowed: learned nothing


async def test_news_and_departures_come_before_the_one_who_asks() -> None:
    async with ledger(2) as permits:
        await outcomes(permits, "a|1|0", "a|2|0")
        answer = await permits.acquire("a|3|0", ["a|1|0"], News(refusals=1, in_use=2))

    assert (answer.outcome, answer.standing.limit, answer.standing.in_use) == ("waiting", 1, 1)


@pytest.mark.parametrize("configured", [None, 3, 40])
async def test_the_store_and_a_process_know_the_same_limit(configured: int | None) -> None:
    async with ledger(configured, 500) as permits:
        mirror = EffectiveLimit(configured)
        for word in (None, 1, 2, 5, 19, 20, 21, 100):
            told = await permits.teach(News("" if word is None else str(word)))
            mirror.vendor_allows(word)
            assert told.limit == mirror.current(0.0)
        for in_use in (30, 9, 4):
            told = await permits.teach(News(refusals=1, in_use=in_use))
            mirror.refused(0.0, in_use)
            assert told.limit == mirror.current(0.0)
        for ago_s in (9, 10, 25, 60):
            at_ms = told.at_ms - 1000 * ago_s
            await permits.store.ask("HSET", permits.store.key("permits", "v", "meta"), "learned_at", at_ms)
            assert (await permits.teach(News())).limit == mirror.current(float(ago_s))


async def test_a_servers_clock_that_was_set_back_an_hour_keeps_nothing_longer() -> None:
    async with ledger(3) as permits:
        now = (await permits.teach(News(refusals=1, in_use=3))).at_ms
        later = now + 3_600_000
        await put(permits, "held", later, "dead|1|0")
        await put(permits, "line", later, "dead|2|0")
        await put(permits, "alive", later, "dead|2|0")
        meta = permits.store.key("permits", "v", "meta")
        await permits.store.ask("HSET", meta, "learned_at", later, "last_place", later)
        await permits.store.ask("HSET", permits.store.key("server"), "quiet_until", later)

        assert await outcomes(permits, "a|1|0", "a|2|0") == ["waiting", "waiting"]
        assert await granted_in_time(permits, "a|1|0", "a|2|0")
        assert int(await permits.store.ask("HGET", meta, "learned_at")) < now + 30_000


async def granted_in_time(permits: Ledger, *ids: str) -> bool:
    """Renew until all of them are held."""
    waiting = [(each, UNPLACED) for each in ids]
    async with asyncio.timeout(30):
        while len((await permits.renew("a", [], waiting)).granted) < len(ids):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.2)
    return True


@pytest.mark.parametrize("value", ["nonsense", "nan", "-1", "inf", "1e300", ""])
async def test_values_that_are_none_of_ours_stop_nobody(value: str) -> None:
    """Whatever another application, or an operator's slip, left under our keys."""
    async with ledger(2) as permits:
        meta, server = permits.store.key("permits", "v", "meta"), permits.store.key("server")
        for field in ("last_place", "vendor", "learned", "learned_at"):
            await permits.store.ask("HSET", meta, field, value)
        await permits.store.ask("HSET", server, "quiet_until", value)
        assert (await permits.teach(News(refusals=1, in_use=2))).limit == 1

        assert await outcomes(permits, "a|1|0", "a|2|0") == ["granted", "waiting"]
        await permits.release(["a|1|0"])
        assert await granted_in_time(permits, "a|2|0")


async def test_members_that_are_none_of_ours_end_like_those_of_the_dead() -> None:
    async with ledger(6) as permits:
        for number, member in enumerate(("nonsense", "", "a|b", "|||", "a|1|9", "\x00\xff")):
            for name, score in (("held", "+inf"), ("line", "-inf"), ("alive", "+inf"), ("gone", "+inf")):
                await put(permits, name, score, member + name)
            await put(permits, "line", number, member)

        await permits.acquire("a|1|0")
        assert await granted_in_time(permits, "a|1|0")
        assert (await permits.renew("a", ["a|1|0"], [])).standing.waiting == 0


async def put(permits: Ledger, name: str, score: int | str, member: str) -> None:
    await permits.store.ask("ZADD", permits.store.key("permits", "v", name), score, member)


async def test_a_key_of_another_kind_is_as_good_as_an_emptied_store() -> None:
    async def spoil(*names: str) -> None:
        async with ledger(2) as permits:
            await permits.acquire("a|1|0")
            await permits.store.ask("SET", permits.store.key(*names), "nonsense")

            assert await outcomes(permits, "a|2|0") == ["waiting"]  # until all had time to say what they hold
            assert (await permits.renew("a", ["a|1|0"], [("a|2|0", UNPLACED)])).standing.in_use == 1
            assert await granted_in_time(permits, "a|1|0", "a|2|0")

    async with asyncio.TaskGroup() as group:
        group.create_task(spoil("server"))
        for name in ("held", "line", "alive", "gone", "meta"):
            group.create_task(spoil("permits", "v", name))


async def test_without_a_server_every_word_says_so() -> None:
    async with RedisServer() as server, Store(server.url) as store:
        server.kill()
        permits = Ledger(store, "v", 1, 1)
        for _ in range(2):
            with pytest.raises(StoreAway):
                await permits.acquire("a|1|0")
