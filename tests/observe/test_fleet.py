"""Who is there, on a real server."""

from contextlib import AsyncExitStack

from app.capacity.store import Store
from app.log import Event, attach, configure
from app.observe.fleet import BEAT_S, DEAD_MS, Fleet, Reach
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


async def test_of_itself_a_replica_tells_what_is_true_now() -> None:
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store, Fleet(store, "a") as one:
        one.describe = lambda: {"live": 7}  # no beat since
        told = await one.replicas()

    assert [(replica.age_ms, replica.status) for replica in told] == [(0, {"live": 7})]


async def test_the_numbers_of_all_are_known_without_asking_and_nothing_else_is() -> None:
    async with (
        RedisServer() as server,
        Store(server.url, within_s=LONG) as store,
        Fleet(store, "a") as one,
        Fleet(store, "b") as other,
    ):
        other.describe = lambda: {"calls": {"live": 2, "list": [{"call_sid": "CA1"}]}, "line": {"waiting": 1}}
        await until(lambda: one.briefs.get("b") == {"live": 2})


async def test_a_death_is_known_within_five_seconds_by_the_stores_clock() -> None:
    assert 1000 * BEAT_S + DEAD_MS < 5000
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store, Fleet(store, "a") as one:
        (seconds, _) = await server.do("TIME")
        for name, ago_ms in (("just alive", DEAD_MS - 3000), ("dead", DEAD_MS + 1)):
            await server.do("ZADD", store.key("replicas"), 1000 * seconds - ago_ms, name)
        told = [replica.name for replica in await one.replicas()]

    assert told == ["a", "just alive"]


async def test_nothing_is_left_in_the_store_of_who_went_or_died() -> None:
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store, Fleet(store, "a") as one:
        kept = store.key("replicas", "briefs")
        async with Fleet(store, "went"):
            await known(one, 2)
        left = await server.do("HKEYS", kept)
        (seconds, _) = await server.do("TIME")
        await server.do("HSET", kept, "died", "{}")
        await server.do("ZADD", store.key("replicas"), 1000 * seconds - DEAD_MS + 2000, "died")
        await known(one, 2)
        await known(one, 1)
        assert (left, await server.do("HKEYS", kept)) == ([b"a"], [b"a"])


async def test_what_another_version_says_of_itself_does_no_harm() -> None:
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store, Fleet(store, "a") as one:
        (seconds, _) = await server.do("TIME")
        await server.do("ZADD", store.key("replicas"), 1000 * seconds + 60_000, "odd")
        await server.do("SET", store.key("replica", "odd"), "<xml/>")
        await server.do("HSET", store.key("replicas", "briefs"), "odd", "[1]")
        await known(one, 2)
        told = {replica.name: replica.status for replica in await one.replicas()}

    assert told["odd"] == {} and one.briefs["odd"] == {}


async def test_who_came_and_who_went_is_logged() -> None:
    heard: list[Event] = []
    configure(level="info", style="json")
    detach = attach(heard.append)
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store, Fleet(store, "a") as one:
        async with Fleet(store, "b"):
            await known(one, 2)
        await known(one, 1)
    detach()

    changes = [event for event in heard if event["event"] == "fleet.changed"]
    assert [(event["come"], event["gone"]) for event in changes if event["come"] == ["b"]] == [(["b"], [])]
    assert changes[-1]["gone"] == ["b"] and changes[-1]["replicas"] == 1


async def test_a_dead_replica_is_missed() -> None:
    async with RedisServer() as server, AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(server.url, within_s=LONG))
        await server.do("ZADD", store.key("replicas"), (await server.do("TIME"))[0] * 1000, "dead")
        one = await stack.enter_async_context(Fleet(store, "a"))
        assert one.known == 2

        await known(one, 1)
        assert [replica.name for replica in await one.replicas()] == ["a"]


async def test_without_the_store_the_last_count_is_believed_and_one_speaks_for_itself() -> None:
    async with (
        RedisServer() as server,
        Store(server.url) as store,
        describing(store, "a", 3) as one,
        Fleet(store, "b"),
    ):
        await known(one, 2)
        server.kill()
        await until(lambda: not store.available)
        told = await one.replicas()
        count = one.known
        assert one.reach is Reach.AWAY

    assert (count, [(replica.name, replica.status) for replica in told]) == (2, [("a", {"live": 3})])


async def test_before_the_store_was_ever_reached_as_many_are_believed_in_as_were_announced() -> None:
    async with Store("redis://127.0.0.1:1") as store, Fleet(store, "a", expected=3) as one:
        assert one.known == 3
