"""What a fleet may spend together, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.calls import shared_spending
from app.calls.budget import Budget
from app.calls.purse import Purse
from app.calls.shared_spending import SharedSpending
from app.calls.spending import Allowance, Party
from app.calls.usage import Used
from app.capacity.store import Store
from tests.standins.redis import RedisServer, needs_redis, until

LONG = 30.0
ANNA, BERT = Party("+15550100", "+15550199"), Party("+15550101", "+15550198")
BOUNDS = Allowance(
    per_number={("calls", "day"): 2},
    per_called={("characters", "hour"): 1000},
    overall={("minutes", "day"): 60},
    budget=Budget("EUR", day=1_000_000),
)
pytestmark = needs_redis


def noon() -> float:
    return datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


@asynccontextmanager
async def replica(server: RedisServer, folder: Path | None = None) -> AsyncIterator[tuple[Purse, Store]]:
    async with Store(server.url, within_s=LONG) as store:
        others = SharedSpending(store, b"secret", wall=noon)
        async with Purse(BOUNDS, folder, others=others, wall=noon) as purse:
            yield purse, store


@asynccontextmanager
async def fleet(count: int = 2) -> AsyncIterator[tuple[RedisServer, list[Purse], list[Store]]]:
    async with RedisServer() as server, AsyncExitStack() as stack:
        both = [await stack.enter_async_context(replica(server)) for _ in range(count)]
        yield server, [purse for purse, _ in both], [store for _, store in both]


async def test_threat_13_a_number_has_one_share_of_the_fleet_and_not_one_of_each_replica() -> None:
    async with fleet() as (_, (one, other), _):
        one.note(ANNA, Used(calls=1))
        other.note(ANNA, Used(calls=1))

        for purse in (one, other):
            await until(lambda purse=purse: bool(purse.over(ANNA)))  # type: ignore[misc]
            assert purse.over(ANNA) == "one number: 2 calls within a day"
            assert purse.over(BERT) == ""


async def test_a_call_is_known_elsewhere_long_before_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_spending, "LOOK_S", 1000.0)
    async with fleet() as (server, (one, other), _):
        async with server.link() as redis:
            while (await redis.pubsub_numsub("hotline:{1}:spending"))[0][1] != 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        one.note(ANNA, Used(calls=2))

        await until(lambda: bool(other.over(ANNA)))


async def test_threat_13_minutes_characters_and_money_are_the_fleets() -> None:
    async with fleet() as (_, (one, other), _):
        one.note(ANNA, Used(ms=1_800_000, characters=600), cost=600_000)
        other.note(BERT, Used(ms=1_800_000), cost=400_000)
        other.note(ANNA, Used(characters=400))

        await until(lambda: all(purse.closed for purse in (one, other)))
        for purse in (one, other):
            await until(lambda purse=purse: purse.spent("day") == 1.0)  # type: ignore[misc]
            assert purse.exhausted == "the budget of the day is spent"
            await until(lambda purse=purse: purse.over(ANNA).startswith("one called number"))  # type: ignore[misc]
            status = purse.status()
            assert status["used"]["day"] == {"calls": 0, "minutes": 60.0, "characters": 1000}  # type: ignore[index]


async def test_each_level_of_the_budget_is_told_by_one_replica() -> None:
    with capture_logs() as events:
        async with fleet(3) as (_, purses, _):
            purses[0].note(None, Used(), cost=850_000)
            await until(lambda: all(purse.spent("day") == 0.85 for purse in purses))
            await asyncio.gather(*(purse.look() for purse in purses))

    told = [(event["percent"], event["spent"]) for event in events if event["event"] == "budget.reached"]
    assert sorted(told) == [(50, "0.85"), (80, "0.85")]


async def test_a_replica_that_comes_later_knows_what_was_spent_before_its_first_call() -> None:
    async with RedisServer() as server:
        async with replica(server) as (gone, _):
            gone.note(ANNA, Used(calls=2), cost=1_000_000)

        async with replica(server) as (late, _):
            assert late.over(ANNA) == "one number: 2 calls within a day"
            assert late.exhausted


async def test_a_restarted_replica_counts_its_own_once(tmp_path: Path) -> None:
    async with RedisServer() as server, replica(server) as (other, _):
        async with replica(server, tmp_path) as (before, _):
            before.note(ANNA, Used(calls=1), cost=400_000)

        async with replica(server, tmp_path) as (after, _):
            assert after.spent("day") == 0.4
            assert after.over(ANNA) == ""
            await until(lambda: other.spent("day") == 0.4)
            after.note(ANNA, Used(calls=1), cost=100_000)
            await until(lambda: other.spent("day") == 0.5)
            assert other.over(ANNA)


async def test_while_the_store_is_away_the_last_figures_stand_and_own_ones_go_on() -> None:
    async with fleet() as (server, (one, other), stores):
        one.note(ANNA, Used(calls=1), cost=500_000)
        await until(lambda: other.spent("day") == 0.5)
        server.kill()
        await until(lambda: not any(store.available for store in stores))

        other.note(ANNA, Used(calls=1), cost=300_000)
        one.note(None, Used(), cost=200_000)

        assert other.over(ANNA)
        assert (one.spent("day"), other.spent("day")) == (0.7, 0.8)


async def test_a_store_that_comes_back_empty_is_told_all_again_and_counts_nothing_twice() -> None:
    async with fleet() as (server, (one, other), stores):
        one.note(ANNA, Used(calls=1), cost=300_000)
        other.note(BERT, Used(calls=1), cost=200_000)
        await until(lambda: one.spent("day") == other.spent("day") == 0.5)
        server.kill()
        await until(lambda: not any(store.available for store in stores))
        one.note(ANNA, Used(calls=1), cost=100_000)

        await server.start()

        await until(lambda: one.spent("day") == other.spent("day") == 0.6)
        await until(lambda: bool(other.over(ANNA)))
        assert one.status()["used"] == other.status()["used"]
        async with replica(server) as (late, _):
            assert late.spent("day") == 0.6


@pytest.mark.parametrize("harm", ["rows", "order", "other_kind", "version", "row"])
async def test_whatever_was_done_to_the_keys_the_figures_come_right_again(harm: str) -> None:
    async with fleet() as (server, (one, other), _):
        one.note(ANNA, Used(calls=1), cost=300_000)
        await until(lambda: other.spent("day") == 0.3)
        rows, order = "hotline:{1}:spending:rows", "hotline:{1}:spending:order"
        commands: dict[str, list[tuple[str | int, ...]]] = {
            "rows": [("DEL", rows)],
            "order": [("DEL", order)],
            "other_kind": [("DEL", rows), ("SET", rows, "x")],
            "version": [("HSET", rows, "version", "x")],
            "row": [("HSET", rows, "hour:-:x:y", "x"), ("ZADD", order, 0, "hour:-:x:y")],
        }
        for command in commands[harm]:
            await server.do(*command)

        one.note(ANNA, Used(calls=1), cost=300_000)

        await until(lambda: other.spent("day") == one.spent("day") == 0.6)
        await until(lambda: bool(other.over(ANNA)))
        async with replica(server) as (late, _):
            assert late.spent("day") == 0.6


async def test_many_rows_are_told_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_spending, "MOST_AT_ONCE", 7)
    async with fleet() as (server, (one, other), _):
        for number in range(50):
            one.note(Party(f"+1555010{number}", "+15550199"), Used(calls=2))

        await until(lambda: all(other.over(Party(f"+1555010{number}", "+1")) for number in range(50)))
        async with replica(server) as (late, _):
            assert all(late.over(Party(f"+1555010{number}", "+1")) for number in range(50))


async def test_threat_26_the_store_keeps_no_number() -> None:
    async with fleet() as (server, (one, other), _):
        one.note(ANNA, Used(calls=2))
        await until(lambda: bool(other.over(ANNA)))

        kept = await server.do("HGETALL", "hotline:{1}:spending:rows")

        assert b"5550" not in b" ".join(key if isinstance(key, bytes) else key.encode() for key in kept)


async def test_rows_that_count_no_more_are_dropped_from_the_store() -> None:
    async with RedisServer() as server:
        async with Store(server.url, within_s=LONG) as store:
            then = Purse(BOUNDS, others=SharedSpending(store, b"", wall=noon), wall=noon)
            async with then:
                then.note(ANNA, Used(calls=1), cost=1)
            kept = await server.do("ZCARD", "hotline:{1}:spending:order")
            assert kept == 8  # three keys in an hour's and a day's step, two periods

            def later() -> float:
                return noon() + 3 * 86_400

            async with Purse(BOUNDS, others=SharedSpending(store, b"", wall=later), wall=later):
                pass

        left = await server.do("ZRANGE", "hotline:{1}:spending:order", 0, -1)
        assert [row.split(b":")[1] for row in left] == [b"2026-11"]
