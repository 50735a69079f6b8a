"""The desk's scripts, one by one, on a real store."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.calls.desk_ledger import DeskLedger, Kept
from app.calls.shared_desk import LIVE_MS
from app.capacity.store import Store
from tests.standins.desks import LONG
from tests.standins.redis import RedisServer, needs_redis

pytestmark = needs_redis
HOLD_MS = 60_000


@pytest.fixture
async def ledger() -> AsyncIterator[DeskLedger]:
    async with RedisServer() as server, Store(server.url, within_s=LONG) as store:
        await store.ask("HSET", store.key("server"), "run", store.run_id)
        yield DeskLedger(store, "a")


async def join(ledger: DeskLedger, call_sid: str, waited_ms: int = 0) -> str:
    return await ledger.join(call_sid, "#1 +2", waited_ms=waited_ms, within_ms=HOLD_MS, most=3)


async def test_a_version_is_told_once_and_changes_with_what_it_tells(ledger: DeskLedger) -> None:
    first = await ledger.sync(2, "")
    again = await ledger.sync(2, first.version)
    await ledger.enter("1", "#1 +2", HOLD_MS)
    changed = await ledger.sync(2, first.version)

    assert (first.room, again.view) == (2, None)
    assert changed.view is not None
    assert changed.view.inside == {"1"} and changed.view.numbers == {"1": "#1 +2"}


async def test_slots_that_nobody_asserts_lapse_and_asserted_ones_do_not(ledger: DeskLedger) -> None:
    await ledger.sync(2, "", [Kept("1", "", 1), Kept("2", "", HOLD_MS)])
    await asyncio.sleep(0.02)  # of the server's clock, too

    view = (await ledger.sync(2, "")).view

    assert view is not None and view.inside == {"2"}


@pytest.mark.parametrize("how", ["adopted", "asserted", "released"])
async def test_a_call_that_has_its_stream_is_not_kept_for_as_long_as_one_that_is_still_to_come(
    ledger: DeskLedger, how: str
) -> None:
    """The replica that serves it may die in its first seconds, and the slot is to be back soon."""
    await ledger.sync(2, "")
    await ledger.enter("1", "", HOLD_MS)
    if how == "adopted":
        await ledger.adopt("1")
    elif how == "asserted":
        await ledger.sync(2, "", [Kept("1", "", LIVE_MS)])
    else:
        await ledger.release([("1", 3000)])

    now_ms = (await ledger.sync(2, "")).now_ms
    until_ms = float(await ledger.store.ask("ZSCORE", ledger.store.key("desk", "slots"), "1"))
    assert 0 < until_ms - now_ms <= LIVE_MS


async def test_there_are_as_many_slots_as_the_replicas_that_were_heard_bring(ledger: DeskLedger) -> None:
    await DeskLedger(ledger.store, "b").sync(1, "")
    assert (await ledger.sync(1, "")).room == 2

    told = [await ledger.enter(str(n), "", HOLD_MS) for n in range(3)]

    assert told == ["in", "in", "full"]


async def test_who_comes_before_has_the_slot_unless_passed_by_right(ledger: DeskLedger) -> None:
    await ledger.sync(1, "")
    await join(ledger, "first")

    assert await ledger.enter("second", "", HOLD_MS) == "full"
    assert await ledger.enter("second", "", HOLD_MS, ["first"]) == "in"


async def test_the_line_is_in_the_order_of_the_time_waited(ledger: DeskLedger) -> None:
    told = [await join(ledger, "1"), await join(ledger, "2"), await join(ledger, "0", 5000)]

    assert told == ["1", "2", "1"]
    assert await join(ledger, "4") == "full"
    assert await join(ledger, "2") == "3"


async def test_a_poisoned_value_costs_no_answer(ledger: DeskLedger) -> None:
    await ledger.store.ask("HSET", ledger.store.key("desk", "rooms"), "evil", "a lot")
    await ledger.store.ask("HSET", ledger.store.key("desk", "who"), "1", b"\xff\xfe")
    await ledger.store.ask("ZADD", ledger.store.key("desk", "line"), "+inf", b"\xff")
    await ledger.store.ask("HSET", ledger.store.key("desk", "meta"), "version", "evil")
    await ledger.store.ask("SET", ledger.store.key("desk", "slots"), "of another kind")

    standing = await ledger.sync(2, "")

    assert standing.room == 2 and standing.view is not None
