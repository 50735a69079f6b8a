"""What was spent survives restarts, crashes and damaged files."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.calls.budget import Budget
from app.calls.purse import FILE, SAVE_EVERY_S, Purse
from app.calls.spending import Allowance, Party
from app.calls.usage import Used
from tests.virtual_time import in_virtual_time

ANNA = Party("+15550100", "+15550199")
TWO_CALLS = Allowance(per_number={("calls", "day"): 2}, budget=Budget("EUR", day=1_000_000))


def noon() -> float:
    return datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def purse(folder: Path | None) -> Purse:
    return Purse(TWO_CALLS, folder, wall=noon)


async def test_threat_13_a_restart_forgets_no_call(tmp_path: Path) -> None:
    async with purse(tmp_path) as before:
        before.note(ANNA, Used(calls=2), cost=1_000_000)

    async with purse(tmp_path) as after:
        assert after.over(ANNA) == "one number: 2 calls within a day"
        assert after.exhausted == after.closed == "the budget of the day is spent"
        assert after.spent("day") == 1.0


@in_virtual_time
async def test_threat_13_a_crash_loses_seconds_only(tmp_path: Path) -> None:
    async with purse(tmp_path) as crashed:
        crashed.note(ANNA, Used(calls=2))
        await asyncio.sleep(2 * SAVE_EVERY_S)
        async with purse(tmp_path) as after:  # while the first has not been left: as if it never were
            assert after.over(ANNA)


@in_virtual_time
async def test_only_what_has_changed_is_written(tmp_path: Path) -> None:
    async with purse(tmp_path) as quiet:
        await asyncio.sleep(3 * SAVE_EVERY_S)
        assert not (tmp_path / FILE).exists()

        quiet.note(ANNA, Used(calls=1))
        await quiet.save()
        (tmp_path / FILE).unlink()
        await asyncio.sleep(3 * SAVE_EVERY_S)
        assert not (tmp_path / FILE).exists()


async def test_the_file_is_its_owners_alone_and_no_part_of_one_stays(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    async with purse(folder) as kept:
        kept.note(ANNA, Used(calls=1))

    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff", b'{"hour": {"x": 1}}', b'{"day": {"1": {"all": [1, "a"]}}}', b"[" * 100_000],
    ids=["empty", "bytes", "step", "amount", "deep"],
)
async def test_a_damaged_file_is_named_and_set_aside_and_calls_are_taken(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)

    with capture_logs() as events:
        async with purse(tmp_path) as fresh:
            assert fresh.over(ANNA) == ""
            fresh.note(ANNA, Used(calls=1))

    [told] = [event for event in events if event["event"] == "spending.damaged"]
    assert told["file"] == str(tmp_path / "spending.damaged")
    assert (tmp_path / "spending.damaged").read_bytes() == content
    assert json.loads((tmp_path / FILE).read_bytes())["day"]


@in_virtual_time
async def test_a_disk_that_cannot_be_written_is_told_once_and_counts_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.write_text("no folder")
    with capture_logs() as events:
        async with purse(folder) as poor:
            for _ in range(2):
                poor.note(ANNA, Used(calls=1))
                await poor.save()
            assert poor.over(ANNA)
            folder.unlink()

    told = [event["event"] for event in events if event["event"] == "spending.not_written"]
    assert told == ["spending.not_written"]
    assert (folder / FILE).exists()  # what could not be written then was written now


async def test_what_happens_while_a_file_is_written_is_written_next(tmp_path: Path) -> None:
    async with purse(tmp_path) as busy:
        busy.note(ANNA, Used(calls=1))
        async with asyncio.TaskGroup() as group:
            group.create_task(busy.save())
            await asyncio.sleep(0)
            busy.note(ANNA, Used(calls=1))

    async with purse(tmp_path) as after:
        assert after.over(ANNA)


async def test_without_a_folder_nothing_is_kept_and_all_is_counted() -> None:
    async with purse(None) as forgetful:
        forgetful.note(ANNA, Used(calls=2))
        assert forgetful.over(ANNA)


async def test_a_level_of_the_budget_is_told_once_with_its_amounts_also_over_a_restart(
    tmp_path: Path,
) -> None:
    with capture_logs() as events:
        for _ in range(2):
            async with purse(tmp_path) as spending:
                spending.note(ANNA, Used(), cost=300_000)
                await spending.look()
                await spending.look()

    told = [event for event in events if event["event"] == "budget.reached"]
    assert [(event["percent"], event["spent"], event["budget"], event["currency"]) for event in told] == [
        (50, "0.60", "1.00", "EUR")
    ]


async def test_a_new_day_is_told_with_what_had_been_reached() -> None:
    now = noon()
    spending = Purse(TWO_CALLS, wall=lambda: now)
    spending.note(ANNA, Used(calls=2), cost=900_000)
    await spending.look()
    now += 86_400 + 3601

    with capture_logs() as events:
        await spending.look()

    assert [(event["event"], event["levels"]) for event in events] == [("budget.renewed", [50, 80])]
    assert "5550100" not in str(spending.status())
