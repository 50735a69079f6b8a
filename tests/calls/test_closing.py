"""The kill switch."""

import asyncio
from pathlib import Path

from structlog.testing import capture_logs

from app.calls.closing import FILE, LOOK_S, Closing
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_threat_13_the_file_closes_and_opens_the_house_while_the_server_runs(tmp_path: Path) -> None:
    with capture_logs() as events:
        async with Closing(tmp_path) as closing:
            assert closing.reason == ""

            (tmp_path / FILE).touch()
            await asyncio.sleep(2 * LOOK_S)
            assert closing.reason == "closed by the operator"

            (tmp_path / FILE).unlink()
            await asyncio.sleep(2 * LOOK_S)
            assert closing.reason == ""

    assert [event["event"] for event in events] == ["house.closed", "house.opened"]


async def test_a_file_that_is_there_at_the_start_closes_before_the_first_call(tmp_path: Path) -> None:
    (tmp_path / FILE).symlink_to(tmp_path / "nowhere")

    async with Closing(tmp_path) as closing:
        assert closing.reason


async def test_the_setting_closes_whatever_the_files_say(tmp_path: Path) -> None:
    async with Closing(tmp_path, always=True) as closing:
        assert closing.reason == "closed by HOTLINE_CLOSED"
    assert Closing(always=True).reason and not Closing().reason


async def test_where_the_switch_cannot_be_seen_it_stays_as_it_was_and_that_is_told_once(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / FILE).touch()
    closing = Closing(folder)
    await closing.look()
    (folder / FILE).unlink()
    folder.rmdir()
    folder.write_text("no folder any more")

    with capture_logs() as events:
        await closing.look()
        await closing.look()

    assert closing.reason
    assert [event["event"] for event in events] == ["house.switch_unreadable"]
