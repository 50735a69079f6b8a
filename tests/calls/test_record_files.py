"""Records of calls as files."""

import os
from pathlib import Path

import msgspec
import pytest

from app import clock
from app.calls.record_files import RecordFiles
from app.calls.resume import KEPT_S, Record


def record(call_sid: str = "CA1", *, age_s: float = 0.0, streams: int = 1) -> Record:
    written_at = clock.wall().timestamp() - age_s
    return Record(call_sid=call_sid, conversation="script", streams=streams, written_at=written_at)


async def test_the_latest_record_of_a_call_is_found_by_another_process(tmp_path: Path) -> None:
    async with RecordFiles(tmp_path) as records:
        for streams in range(1, 4):
            records.save(record(streams=streams))
        await records.flush()

    async with RecordFiles(tmp_path) as others:
        found = await others.load("CA1")

    assert found is not None and found.streams == 3


async def test_what_is_not_written_yet_is_found_too(tmp_path: Path) -> None:
    async with RecordFiles(tmp_path) as records:
        records.save(record())

        assert await records.load("CA1") is not None


async def test_an_old_record_is_not_believed(tmp_path: Path) -> None:
    async with RecordFiles(tmp_path) as records:
        records.save(record(age_s=KEPT_S + 1))
        await records.flush()

        assert await records.load("CA1") is None


@pytest.mark.parametrize("call_sid", ["../CA1", "", "CA/1", "CA 1", "x" * 65])
async def test_a_name_that_is_no_calls_reaches_no_file(tmp_path: Path, call_sid: str) -> None:
    async with RecordFiles(tmp_path / "resume") as records:
        records.save(record(call_sid))
        await records.flush()

        assert await records.load(call_sid) is None
    assert list(tmp_path.rglob("*.json")) == []  # noqa: ASYNC240 - a test


async def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    (tmp_path / "CA1.json").write_bytes(b'{"call_sid": "CA1", "conv')
    async with RecordFiles(tmp_path) as records:
        assert await records.load("CA1") is None


async def test_a_record_is_for_nobody_elses_eyes(tmp_path: Path) -> None:
    async with RecordFiles(tmp_path) as records:
        records.save(record())

    assert (tmp_path / "CA1.json").stat().st_mode & 0o077 == 0


async def test_a_folder_that_cannot_be_written_costs_no_call(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with RecordFiles(tmp_path / "file") as records:
        records.save(record())
        await records.flush()

        assert await records.load("CA1") is None


async def test_what_nobody_will_ask_for_is_swept_away(tmp_path: Path) -> None:
    old = tmp_path / "CA0.json"
    old.write_bytes(msgspec.json.encode(record("CA0")))
    os.utime(old, (0, 0))
    async with RecordFiles(tmp_path) as records:
        records.save(record())

    assert [path.name for path in tmp_path.iterdir()] == ["CA1.json"]  # noqa: ASYNC240 - a test
