"""The fleet's kill switch, on a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from app.calls.closing import FILE, Closing
from app.calls.shared_closing import SharedSwitch
from app.capacity.store import Store
from tests.standins.redis import RedisServer, needs_redis, until

LONG = 30.0
KEY = "hotline:{1}:closed"
pytestmark = needs_redis


@asynccontextmanager
async def houses(
    folder: Path, count: int = 2
) -> AsyncIterator[tuple[RedisServer, list[Closing], list[Store]]]:
    async with RedisServer() as server, AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(Store(server.url, within_s=LONG)) for _ in range(count)]
        closings = [
            Closing(folder / str(number), fleet=SharedSwitch(store)) for number, store in enumerate(stores)
        ]
        yield server, closings, stores


async def reasons(closings: list[Closing]) -> list[bool]:
    for closing in closings:
        await closing.look()
    return [bool(closing.reason) for closing in closings]


async def test_threat_13_one_word_closes_and_opens_every_replica(tmp_path: Path) -> None:
    async with houses(tmp_path) as (_, closings, stores):
        operator = SharedSwitch(stores[0])
        told = [await reasons(closings)]
        for closed in (True, False):
            await operator.turn(closed=closed)
            told.append(await reasons(closings))

    assert told == [[False, False], [True, True], [False, False]]


async def test_a_file_closes_its_own_replica_and_no_other(tmp_path: Path) -> None:
    async with houses(tmp_path) as (_, closings, _stores):
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / FILE).touch()

        assert await reasons(closings) == [False, True]


async def test_a_house_stays_closed_while_the_store_is_away_and_when_it_comes_back_empty(
    tmp_path: Path,
) -> None:
    async with houses(tmp_path) as (server, closings, stores):
        await SharedSwitch(stores[0]).turn(closed=True)
        await reasons(closings)
        server.kill()
        await until(lambda: not any(store.available for store in stores))
        away = await reasons(closings)
        await server.start()
        await until(lambda: all(store.available for store in stores))
        async with server.link() as redis:
            empty = await redis.get(KEY)
            back = await reasons(closings)
            told_again = await redis.get(KEY)

    assert (away, back) == ([True, True], [True, True])
    assert (empty, told_again) == (None, b"closed")


async def test_a_word_that_nobody_knows_moves_nothing(tmp_path: Path) -> None:
    async with houses(tmp_path) as (server, closings, _), server.link() as redis:
        await redis.set(KEY, b"\xff maybe")

        assert await reasons(closings) == [False, False]
