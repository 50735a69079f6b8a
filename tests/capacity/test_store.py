"""The one connection holder, against a real server."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app import clock
from app.capacity import store as store_module
from app.capacity.scripts import Script
from app.capacity.store import CONNECTIONS, Store, StoreAway, masked
from app.errors import ConfigError
from tests.standins.redis import Proxy, RedisServer, needs_redis, until

PATIENT_S = 20.0


async def comes(store: Store, available: bool) -> None:
    await until(lambda: store.available is available)


class Witness:
    """A member that keeps what it was told."""

    def __init__(self, store: Store) -> None:
        self.told: list[str] = []
        self._store = store

    def went_away(self) -> None:
        self.told.append("away")

    async def came_back(self) -> None:
        await self._store.run(ECHO, [], ["x"], returning=True)
        self.told.append(f"back, for others {'open' if self._store.available else 'closed'}")


ECHO = Script("echo", "return ARGV[1]", "0" * 40)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:secret@host:6379/0", "redis://:***@host:6379/0"),
        ("rediss://user:se:cret@host/1", "rediss://user:***@host/1"),
        ("redis://host", "redis://host"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert masked(url) == shown


async def test_an_address_that_cannot_be_used_is_said_without_its_password() -> None:
    with pytest.raises(ConfigError, match=re.escape("http://u:***@host is not the address of a store")):
        Store("http://u:secret@host")


async def test_keys_have_the_prefix_and_one_hash_tag() -> None:
    assert Store("redis://host", prefix="mine").key("a", "b") == "mine:{1}:a:b"


async def test_without_a_server_it_begins_away_and_says_so_once() -> None:
    with capture_logs() as logs:
        async with Store("redis://127.0.0.1:1") as store:
            for _ in range(3):
                with pytest.raises(StoreAway):
                    await store.ask("PING")
            await asyncio.sleep(0.7)

    assert [entry["event"] for entry in logs] == ["store.away"]


@needs_redis
async def test_a_script_is_loaded_where_it_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "twice.lua"
    path.write_text("return {KEYS[1], ARGV[1]}")
    script = Script.read(path)
    async with RedisServer() as server, Store(server.url, within_s=PATIENT_S) as store:
        assert await store.run(script, ["k"], ["v"]) == [b"k", b"v"]
        await server.do("SCRIPT", "FLUSH")
        assert await store.run(script, ["k"], [b"w"]) == [b"k", b"w"]


@needs_redis
async def test_a_server_that_dies_and_returns_is_noticed_once_and_members_speak_first() -> None:
    async with RedisServer() as server, Store(server.url) as store:
        await comes(store, True)
        witness = Witness(store)
        store.join(witness)
        first = store.run_id
        with capture_logs() as logs:
            server.kill()
            await comes(store, False)
            await server.start()
            await comes(store, True)
        store.leave(witness)

    assert witness.told[:2] == ["away", "back, for others closed"]
    assert [entry["event"] for entry in logs if entry["event"].startswith("store.")][:2] == [
        "store.away",
        "store.back",
    ]
    assert store.run_id != first


@needs_redis
async def test_a_connection_that_is_opened_anew_asks_nothing_of_another_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with RedisServer() as server, Store(server.url, within_s=PATIENT_S) as store:
        await store.ask("PING")
        monkeypatch.setattr(store_module, "WATCH_S", PATIENT_S)
        await asyncio.sleep(1.2)  # the look that is under way
        await server.restart()
        with pytest.raises(StoreAway, match="another server answers"):
            for _ in range(CONNECTIONS):
                await store.ask("SET", store.key("x"), "1")
        assert await server.do("EXISTS", store.key("x")) == 0


@needs_redis
async def test_questions_of_one_webhook_have_one_deadline_together() -> None:
    async with RedisServer() as server, Store(server.url, within_s=1.0) as store:
        await comes(store, True)
        began = clock.now()
        with store.patience():
            with suppress(StoreAway):
                await store.ask("BLPOP", store.key("nothing"), "0.7")
            with pytest.raises(StoreAway):
                await store.ask("BLPOP", store.key("nothing"), "5")
            with pytest.raises(StoreAway):
                await store.ask("PING")

        assert clock.now() - began < 5
        assert store.available  # that it took long together is no proof that it is away
        await store.ask("PING")


@needs_redis
async def test_a_question_is_not_waited_for_longer_than_its_deadline() -> None:
    async with RedisServer() as server, Store(server.url) as store:
        await comes(store, True)
        server.freeze()
        with pytest.raises(StoreAway):
            await store.ask("PING")
        assert not store.available
        server.thaw()
        await comes(store, True)


@needs_redis
@pytest.mark.parametrize("change", ["replica", "full"])
async def test_a_server_that_cannot_be_written_is_away(change: str) -> None:
    async with RedisServer() as server, Store(server.url) as store:
        await comes(store, True)
        if change == "replica":
            await server.do("REPLICAOF", "127.0.0.1", 1)
        else:
            await server.do("CONFIG", "SET", "maxmemory", 1)
        await comes(store, False)
        if change == "replica":
            await server.promote()
        else:
            await server.do("CONFIG", "SET", "maxmemory", 0)
        await comes(store, True)


@needs_redis
async def test_two_hundred_at_once_use_few_connections() -> None:
    async with RedisServer() as server, Store(server.url, within_s=PATIENT_S) as store:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(store.run(ECHO, [], [number])) for number in range(200)]
        clients = int((await server.do("INFO", "clients"))["connected_clients"])

    assert [int(task.result()) for task in asked] == list(range(200))
    assert clients <= 10


@needs_redis
async def test_several_commands_go_together() -> None:
    async with RedisServer() as server, Store(server.url, within_s=PATIENT_S) as store:
        await store.tell([("SET", store.key(name), name) for name in "abc"])

        assert [await store.ask("GET", store.key(name)) for name in "abc"] == [b"a", b"b", b"c"]


@needs_redis
async def test_what_is_published_is_heard_also_after_the_connection_was_lost() -> None:
    heard: list[str] = []
    async with RedisServer() as server, Proxy(server.port) as proxy, Store(proxy.url) as store:
        store.listen(store.key("news"), heard.append)
        await published(server, store, "one", heard)
        proxy.part()
        await comes(store, False)
        proxy.heal()
        await comes(store, True)
        await published(server, store, "two", heard)
        store.unlisten(store.key("news"))

    assert set(heard) == {"one", "two"}


async def published(server: RedisServer, store: Store, word: str, heard: list[str]) -> None:
    async with asyncio.timeout(PATIENT_S):
        while word not in heard:
            await server.do("PUBLISH", store.key("news"), word)
            await asyncio.sleep(0.05)


@needs_redis
async def test_a_password_is_used_and_a_wrong_one_is_away() -> None:
    async with RedisServer("--requirepass", "s3cret") as server:
        with_password = server.url.replace("://", "://:s3cret@")
        async with Store(with_password) as right, Store(with_password.replace("s3c", "no")) as wrong:
            await comes(right, True)
            assert not wrong.available
