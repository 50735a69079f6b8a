"""The desk of a fleet on a real store; what every desk promises is in tests/contract/test_desk.py."""

import asyncio

import pytest

from app.calls.desk import Desk
from app.calls.reception import Caller, LetIn, Wait
from app.calls.shared_desk import OVERFLOW, SharedDesk
from app.calls.shares import Shares
from app.errors import AtCapacity
from tests.contract.test_desk import ask, settled
from tests.standins.desks import Gate, eventually, fleet_desk
from tests.standins.redis import Proxy, RedisServer, needs_redis, until

pytestmark = needs_redis


async def looked(desk: Desk) -> None:
    assert isinstance(desk, SharedDesk)
    await desk._look()


async def test_two_replicas_have_one_house_and_one_line() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 1) as a, fleet_desk(server, "b", 1) as b:
        assert [await ask(a, "1"), await ask(a, "2"), await ask(a, "3"), await ask(b, "4")] == [
            "in", "in", "1", "2",
        ]  # fmt: skip
        await b.leave("1")

        assert [await ask(b, "new"), await ask(a, "4"), await ask(b, "3")] == ["3", "2", "in"]
        assert a.reception.slots.max_calls == 2


async def test_a_slot_kept_by_one_replica_is_adopted_by_another() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 1) as a, fleet_desk(server, "b", 1) as b:
        await ask(a, "1")
        await ask(a, "2")
        await b.adopt("1")
        await b.adopt("2")  # the balancer spread unevenly: the fleet has room all the same

        assert b.admission.live == OVERFLOW
        assert b.is_full_of_live_calls() and not b.has_room_for("3")
        assert await ask(a, "3") == "1"


async def test_a_socket_without_a_reservation_gets_no_slot_of_a_full_fleet() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 1) as a:
        await ask(a, "1")

        with pytest.raises(AtCapacity):
            await a.adopt("2")


async def test_of_many_at_once_on_two_replicas_as_many_are_let_in_as_there_are_slots_and_the_first() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 2) as a, fleet_desk(server, "b", 1) as b:
        await looked(a)
        told = await asyncio.gather(*(ask((a, b)[n % 2], str(n)) for n in range(8)))

        assert sorted(told) == ["1", "2", "3", "4", "5", "in", "in", "in"]
        await looked(a)
        assert len(a.reception.slots.calls()) == 3


async def test_each_caller_in_line_is_sent_in_by_one_replica_and_by_the_order_alone() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 1) as a, fleet_desk(server, "b", 1) as b:
        for name in "1234":
            await ask(a, name)
        await a.leave("1")
        await looked(a)
        await looked(b)

        assert sorted([*(await a.due()), *(await b.due())]) == ["3"]
        assert await ask(b, "3") == "1"
        assert isinstance(await b.receive(Caller("3"), fetched=True), LetIn)


async def test_a_replica_that_drains_brings_no_room_and_keeps_its_calls() -> None:
    gate = Gate()
    async with (
        RedisServer() as server,
        fleet_desk(server, "a", 1, gate=gate) as a,
        fleet_desk(server, "b", 1) as b,
    ):
        await ask(a, "1")
        await a.adopt("1")
        gate.is_open = False
        await looked(a)

        assert await ask(b, "2") == "1"
        a.release("1", goes_on=True)
        await settled(a)
        await b.take("1", again=True)
        assert await ask(b, "2") == "1"


async def test_the_slots_of_a_dead_replica_are_free_after_their_lease_and_its_room_is_gone() -> None:
    async with RedisServer() as server, fleet_desk(server, "b", 1) as b:
        await server.do("ZADD", b._ledger.store.key("desk", "slots"), await now_ms(server) + 1500, "1")
        await server.do("HSET", b._ledger.store.key("desk", "rooms"), "a", f"1 {await now_ms(server) - 2500}")
        assert await ask(b, "2") == "in"
        assert await ask(b, "3") == "1"

        async def is_alone() -> bool:
            await b.look()
            return b.reception.slots.max_calls == 1 and "1" not in b.reception.slots.calls()

        await eventually(is_alone)

        assert await ask(b, "3") == "1"
        await b.leave("2")
        assert await ask(b, "3") == "in"


async def test_who_stops_asking_any_replica_is_gone_and_told_once() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 1) as a, fleet_desk(server, "b", 1) as b:
        for name in "123":
            await ask(a, name)
        await a.expect("3", 0.05)

        gone: list[str] = []

        async def is_missed() -> bool:
            gone.extend(await a.look() + await b.look())
            return bool(gone)

        await eventually(is_missed)
        gone += await a.look() + await b.look()

        assert gone == ["3"]


async def test_a_caller_who_comes_back_brings_the_time_in_line_along() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 1) as a:
        await ask(a, "1")
        await ask(a, "2")

        verdict = await a.receive(Caller("3"), waited_s=30.0)

        assert isinstance(verdict, Wait) and verdict.position == 1


async def test_without_the_store_each_serves_its_own_and_the_places_hold_when_it_is_back() -> None:
    async with (
        RedisServer() as server,
        Proxy(server.port) as proxy,
        fleet_desk(server, "a", 1, url=proxy.url, within_s=2.0) as a,
        fleet_desk(server, "b", 1) as b,
    ):
        assert [await ask(a, "1"), await ask(b, "2"), await ask(b, "3")] == ["in", "in", "1"]
        await a.adopt("1")
        proxy.part()
        await until(lambda: not a._ledger.store.available)

        assert await ask(a, "4") == "1"
        await a.leave("1")
        a.release("1")
        assert await ask(a, "5") == "2"
        assert await ask(a, "4") == "in"
        assert a.reception.slots.calls() == {"4"}

        await a.adopt("4")
        proxy.heal()
        await until(lambda: a._ledger.store.available)
        await looked(b)
        assert "4" in b.reception.slots.calls()
        assert [await ask(b, "3"), await ask(a, "5")] == ["1", "2"]


async def test_a_call_that_another_replica_let_in_is_adopted_though_the_store_went_away() -> None:
    async with (
        RedisServer() as server,
        Proxy(server.port) as proxy,
        fleet_desk(server, "a", 1) as a,
        fleet_desk(server, "b", 1, url=proxy.url, within_s=2.0) as b,
    ):
        await ask(a, "1")
        await ask(a, "2")
        await b.adopt("1")
        proxy.part()
        await until(lambda: not b._ledger.store.available)

        assert b.has_room_for("2")
        await b.adopt("2")
        assert b.admission.live == OVERFLOW
        assert b.is_full_of_live_calls()


async def test_a_store_that_was_emptied_is_told_again_who_is_in_and_who_waits() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 1) as a, fleet_desk(server, "b", 1) as b:
        assert [await ask(a, "1"), await ask(b, "2"), await ask(a, "3"), await ask(b, "4")] == [
            "in", "in", "1", "2",
        ]  # fmt: skip
        await a.adopt("1")
        await b.adopt("2")
        stores, old = (a._ledger.store, b._ledger.store), a._ledger.store.run_id
        await server.restart()
        await until(lambda: all(each.available and each.run_id != old for each in stores))

        async def is_second() -> bool:
            return await ask(a, "4") == "2"

        await eventually(is_second)
        assert await ask(b, "3") == "1"
        await looked(a)
        assert a.reception.slots.calls() == {"1", "2"}


async def test_no_callers_number_is_in_the_store() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 2, Shares(per_number=1)) as a:
        await ask(a, "1", number="+15551234567")
        assert await ask(a, "2", number="+15551234567") == "number_share"
        await ask(a, "3", number="anonymous")

        for key in await server.do("KEYS", "*"):
            assert b"5551234567" not in await server.do("DUMP", key)


async def test_what_is_here_is_asserted_for_as_long_as_it_is_here() -> None:
    async with RedisServer() as server, fleet_desk(server, "a", 1) as a:
        await ask(a, "1")
        await a.adopt("1")
        slots = a._ledger.store.key("desk", "slots")
        first = float(await server.do("ZSCORE", slots, "1"))

        async def is_renewed() -> bool:
            return float(await server.do("ZSCORE", slots, "1")) > first

        await eventually(is_renewed)


async def now_ms(server: RedisServer) -> int:
    seconds, micros = await server.do("TIME")
    return int(seconds) * 1000 + int(micros) // 1000
