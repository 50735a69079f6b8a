"""Words between replicas; that they survive a lost connection is shown in `test_store`."""

import asyncio

from redis.asyncio import Redis

from app.capacity.bulletin import Bulletin
from tests.standins.redis import RedisServer, needs_redis


@needs_redis
async def test_each_channel_has_its_own_listener_and_one_connection_serves_all() -> None:
    heard: list[tuple[str, str]] = []
    async with RedisServer() as server:
        bulletin = Bulletin(Redis(port=server.port, protocol=2, socket_timeout=None))
        bulletin.add("a", lambda word: heard.append(("a", word)))
        bulletin.add("b", lambda word: heard.append(("b", word)))
        running = asyncio.ensure_future(bulletin.run())
        async with asyncio.timeout(20):
            while {channel for channel, _ in heard} != {"a", "b"}:
                await server.do("PUBLISH", "a", "one")
                await server.do("PUBLISH", "b", "tw\u00f6")
                await asyncio.sleep(0.02)
        clients = int((await server.do("INFO", "clients"))["connected_clients"])
        running.cancel()
        await asyncio.wait([running])
        await bulletin.redis.aclose()

    assert set(heard) == {("a", "one"), ("b", "tw\u00f6")}
    assert clients == 2
