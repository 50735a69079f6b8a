"""Records of calls in a real store, with files beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app import clock
from app.calls.record_files import RecordFiles
from app.calls.record_store import MOST_WAITING, RecordStore
from app.calls.resume import Record
from app.capacity.store import Store
from tests.standins.desks import eventually
from tests.standins.redis import RedisServer, needs_redis, until

LONG = 30.0
pytestmark = needs_redis


def record(call_sid: str = "CA1", *, ending: str = "", streams: int = 1) -> Record:
    written_at = clock.wall().timestamp()
    return Record(
        call_sid=call_sid, conversation="script", ending=ending, streams=streams, written_at=written_at
    )


@asynccontextmanager
async def replica(
    server: RedisServer, folder: Path, *secrets: bytes
) -> AsyncIterator[tuple[Store, RecordStore]]:
    async with (
        Store(server.url, within_s=LONG) as store,
        RecordStore(store, RecordFiles(folder), secrets=secrets) as records,
    ):
        yield store, records


async def becomes(store: Store, available: bool) -> None:
    await until(lambda: store.available is available)


async def test_another_replica_reads_what_one_wrote_last(tmp_path: Path) -> None:
    async with (
        RedisServer() as server,
        replica(server, tmp_path / "a") as (store, one),
        replica(server, tmp_path / "b") as (_, other),
    ):
        for ending in ("", "", "handed_over"):
            one.save(record(ending=ending))
        assert (await one.load("CA1") or record()).ending == "handed_over"
        await one.flush()
        read = await other.load("CA1")
        life_ms = await store.ask("PTTL", store.key("record", "CA1"))

        assert await other.load("CA2") is None

    assert read is not None and read.ending == "handed_over"
    assert 0 < life_ms <= 120_000


async def test_a_flood_of_records_is_all_kept(tmp_path: Path) -> None:
    async with RedisServer() as server, replica(server, tmp_path) as (store, records):
        for number in range(250):
            records.save(record(f"CA{number}"))
        await records.flush()

        assert await store.ask("DBSIZE") >= 250


async def test_without_the_store_the_files_serve_and_on_its_return_it_has_the_latest(tmp_path: Path) -> None:
    async with (
        RedisServer() as server,
        replica(server, tmp_path / "a") as (store, one),
        replica(server, tmp_path / "b") as (_, other),
    ):
        server.kill()
        await becomes(store, False)
        one.save(record(ending=""))
        one.save(record(ending="stream_broke"))
        async with asyncio.timeout(LONG):
            await one.flush()
        kept = await RecordFiles(tmp_path / "a").load("CA1")
        assert kept is not None and kept.ending == "stream_broke"
        assert (await one.load("CA1") or record()).ending == "stream_broke"

        await server.start()
        await becomes(store, True)

        async def is_written() -> bool:
            return await other.load("CA1") is not None

        await eventually(is_written)
        read = await other.load("CA1")

    assert read is not None and read.ending == "stream_broke"


async def test_a_store_that_was_emptied_is_no_reason_to_forget(tmp_path: Path) -> None:
    async with RedisServer() as server, replica(server, tmp_path) as (_, records):
        records.save(record())
        await records.flush()
        await server.do("FLUSHALL")

        assert await records.load("CA1") is not None


async def test_who_was_parted_from_the_store_does_not_overwrite_a_later_stream(tmp_path: Path) -> None:
    async with RedisServer() as server, replica(server, tmp_path / "a") as (_, one):
        async with replica(server, tmp_path / "b") as (_, other):
            other.save(record(streams=2))
        one.save(record(ending="stream_broke", streams=1))
        await one.flush()
        async with replica(server, tmp_path / "c") as (_, third):
            read = await third.load("CA1")

    assert read is not None and (read.streams, read.ending) == (2, "")


async def test_what_waits_for_the_store_is_bounded(tmp_path: Path) -> None:
    async with Store("redis://127.0.0.1:1") as store, RecordStore(store, RecordFiles(tmp_path)) as records:
        for number in range(MOST_WAITING + 5):
            records.save(record(f"CA{number}"))

        assert len(records._waiting) == MOST_WAITING


@pytest.mark.parametrize(
    ("theirs", "ours", "believed"),
    [
        ((b"new",), (b"new",), True),
        ((b"old", b"new"), (b"new", b"old"), True),  # in the midst of a change
        ((b"another",), (b"new",), False),
        ((), (b"new",), False),
        ((b"new",), (), False),
    ],
)
async def test_threat_21_only_what_one_of_us_has_signed_is_believed(
    tmp_path: Path, theirs: tuple[bytes, ...], ours: tuple[bytes, ...], believed: bool
) -> None:
    async with (
        RedisServer() as server,
        replica(server, tmp_path / "a", *theirs) as (_, one),
        replica(server, tmp_path / "b", *ours) as (_, other),
    ):
        one.save(record(ending="handed_over"))
        await one.flush()

        assert (await other.load("CA1") is not None) is believed


async def test_threat_21_a_changed_or_a_moved_record_is_not_believed(tmp_path: Path) -> None:
    async with RedisServer() as server, replica(server, tmp_path, b"secret") as (store, records):
        records.save(record())
        await records.flush()
        key, moved = store.key("record", "CA1"), store.key("record", "CA2")
        written = await server.do("HGET", key, "body")
        await server.do("HSET", moved, "body", written)
        assert await records.load("CA1") is not None
        assert await records.load("CA2") is None

        await server.do("HSET", key, "body", written.replace(b'"script"', b'"parrot"'))

        with capture_logs() as events:
            read = await records.load("CA1")
        assert read is not None and read.conversation == "script"  # of our own file
        assert [event["event"] for event in events] == ["record.forged"]
