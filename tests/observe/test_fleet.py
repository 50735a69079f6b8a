"""Who is there, on a real server."""

from contextlib import AsyncExitStack

from app.capacity.store import Store
from app.observe.fleet import Fleet
from tests.standins.redis import RedisServer, needs_redis, until

LONG = 30.0
pytestmark = needs_redis


def describing(store: Store, name: str, live: int) -> Fleet:
    fleet = Fleet(store, name)
    fleet.describe = lambda: {"live": live}
    return fleet


async def known(fleet: Fleet, count: int) -> None:
    await until(lambda: fleet.known == count)


async def test_replicas_know_each_other_with_what_each_says_of_itself() -> None:
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        describing(store, "a", 1) as one,
    ):
        async with describing(store, "b", 2):
            await known(one, 2)
            told = [(replica.name, replica.status["live"]) for replica in await one.replicas()]
        await known(one, 1)  # it said that it goes

    assert told == [("a", 1), ("b", 2)]


async def test_a_dead_replica_is_missed() -> None:
    async with RedisServer() as server, AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(server.url, within_s=LONG))
        await server.do("ZADD", store.key("replicas"), (await server.do("TIME"))[0] * 1000, "dead")
        one = await stack.enter_async_context(Fleet(store, "a"))
        assert one.known == 2

        await known(one, 1)
        assert [replica.name for replica in await one.replicas()] == ["a"]


async def test_without_the_store_the_last_count_is_believed_and_one_speaks_for_itself() -> None:
    async with RedisServer() as server, Store(server.url) as store:
        async with describing(store, "a", 3) as one, Fleet(store, "b"):
            await known(one, 2)
            server.kill()
            await until(lambda: not store.available)
            told = await one.replicas()
            count = one.known

    assert (count, [(replica.name, replica.status) for replica in told]) == (2, [("a", {"live": 3})])


async def test_before_the_store_was_ever_reached_as_many_are_believed_in_as_were_announced() -> None:
    async with Store("redis://127.0.0.1:1") as store, Fleet(store, "a", expected=3) as one:
        assert one.known == 3
