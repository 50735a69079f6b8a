"""Stream tokens of a fleet, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from app.calls.token_store import SharedTokens
from app.calls.tokens import Refusal, TokenRefused
from app.capacity.store import Store
from tests.calls.test_tokens import refusal_of
from tests.standins.redis import RedisServer, needs_redis, until

LONG = 30.0
pytestmark = needs_redis


@dataclass
class Two:
    """Two replicas."""

    server: RedisServer
    stores: list[Store]
    one: SharedTokens
    other: SharedTokens
    taken: list[tuple[str, str]]

    async def without_the_store(self) -> None:
        self.server.kill()
        await until(lambda: not any(store.available for store in self.stores))

    async def with_an_empty_store(self) -> None:
        await self.server.start()
        await until(lambda: all(store.available for store in self.stores))


@asynccontextmanager
async def two(secret: bytes = b"", life_s: float = 60.0) -> AsyncIterator[Two]:
    taken: list[tuple[str, str]] = []
    async with RedisServer() as server, AsyncExitStack() as stack:
        stores, tokens = [], []
        for name in ("one", "other"):
            stores.append(await stack.enter_async_context(Store(server.url, within_s=LONG)))
            made = SharedTokens(
                stores[-1],
                lambda call_sid, name=name: taken.append((name, call_sid)),  # type: ignore[misc]
                secret=secret,
                life_s=life_s,
            )
            tokens.append(await stack.enter_async_context(made))
        yield Two(server, stores, tokens[0], tokens[1], taken)


@pytest.mark.parametrize("secret", [b"", b"shared"])
async def test_a_token_is_used_once_over_all_replicas(secret: bytes) -> None:
    async with two(secret) as fleet:
        token = await fleet.one.issue("CA1")
        assert await fleet.other.issue("CA1") == token
        assert await refusal_of(fleet.other, token, "CA2") is Refusal.OTHER_CALL
        await fleet.other.consume(token, "CA1")

        assert await refusal_of(fleet.one, token, "CA1") is Refusal.USED
        assert await refusal_of(fleet.other, token, "CA1") is Refusal.USED
        assert await fleet.one.issue("CA1") == token  # a captured webhook gets nothing new


async def test_of_many_sockets_with_one_token_one_is_let_in() -> None:
    async with two() as fleet:
        token = await fleet.one.issue("CA1")
        let_in = 0

        async def knock(number: int) -> None:
            nonlocal let_in
            try:
                await (fleet.one if number % 2 else fleet.other).consume(token, "CA1")
            except TokenRefused:
                return
            let_in += 1

        async with asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(knock(number))

    assert let_in == 1


async def test_whoever_kept_a_slot_hears_that_the_socket_went_elsewhere() -> None:
    async with two() as fleet:
        async with asyncio.timeout(LONG):
            number = 0
            while ("one", f"CA{number}") not in fleet.taken:  # a word may be lost before the channel is open
                number += 1
                await fleet.other.consume(await fleet.one.issue(f"CA{number}"), f"CA{number}")
                await asyncio.sleep(0.1)

    assert {name for name, _ in fleet.taken} == {"one"}


async def test_each_wrong_token_is_refused_for_its_own_reason() -> None:
    async with two(life_s=0.0) as fleet:
        assert await refusal_of(fleet.one, "", "CA1") is Refusal.MISSING
        assert await refusal_of(fleet.one, "unknown", "CA1") is Refusal.UNKNOWN
        token = await fleet.one.issue("CA1")
        assert await refusal_of(fleet.other, token, "CA1") is Refusal.EXPIRED
        assert await fleet.one.issue("CA1") == token  # a webhook played again gets nothing new


async def test_a_call_that_goes_on_gets_a_new_token_and_one_that_is_gone_none() -> None:
    async with two() as fleet:
        first = await fleet.one.issue("CA1")
        await fleet.one.consume(first, "CA1")
        second = await fleet.other.issue("CA1", again=True)
        await fleet.one.consume(second, "CA1")

        gone = await fleet.one.issue("CA2")
        await fleet.other.spend("CA2")
        await fleet.other.spend("CA-unknown")
        assert await refusal_of(fleet.one, gone, "CA2") is Refusal.USED


async def test_a_token_asked_for_by_hand_serves_the_first_call_only() -> None:
    async with two() as fleet:
        token = await fleet.one.issue("")
        await fleet.other.consume(token, "CA7")

        assert await refusal_of(fleet.one, token, "CA8") is Refusal.USED


async def test_without_the_store_the_issuer_honours_its_tokens_and_others_only_what_is_sealed() -> None:
    async with two() as fleet:
        before = await fleet.one.issue("CA1")
        await fleet.without_the_store()
        during = await fleet.one.issue("CA2")

        assert await refusal_of(fleet.other, before, "CA1") is Refusal.UNKNOWN
        assert await refusal_of(fleet.other, during, "CA2") is Refusal.UNKNOWN
        for token, call_sid in ((before, "CA1"), (during, "CA2")):
            await fleet.one.consume(token, call_sid)
            assert await refusal_of(fleet.one, token, call_sid) is Refusal.USED


async def test_without_the_store_a_sealed_token_is_honoured_by_any_replica_once() -> None:
    async with two(b"shared") as fleet:
        await fleet.without_the_store()
        token = await fleet.one.issue("CA1")
        assert await fleet.one.issue("CA1") == token

        assert await refusal_of(fleet.other, token, "CA2") is Refusal.UNKNOWN
        await fleet.other.consume(token, "CA1")
        assert await refusal_of(fleet.other, token, "CA1") is Refusal.USED


async def test_a_token_survives_a_store_that_comes_back_empty() -> None:
    async with two() as fleet:
        token = await fleet.one.issue("CA1")
        await fleet.without_the_store()
        await fleet.with_an_empty_store()

        await fleet.one.consume(token, "CA1")
