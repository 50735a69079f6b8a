"""Messages of callers, from the beep to the disk."""

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.calls.listening import Listening
from app.calls.message import PIECE_S, Mailbox
from app.hearing.ear import Ears
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.log import Event, attach
from tests.standins.voice import tone
from tests.virtual_time import in_virtual_time

FRAME = tone(440, 0.02)


def listening() -> Listening:
    return Listening(Ears(VadBank(Silero.load())).open(), tell=lambda _fact: None)


@asynccontextmanager
async def running(mailbox: Mailbox) -> AsyncIterator[None]:
    """As the call runs it: left in mid-write, and settled."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(mailbox.run())
        yield
        task.cancel()
    await mailbox.settle()


def frames_of(path: Path) -> int:
    with wave.open(str(path)) as wav:
        frames: int = wav.getnframes()
    return frames


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@in_virtual_time
async def test_what_the_caller_says_while_the_mailbox_is_open_is_kept(tmp_path: Path) -> None:
    line = listening()
    mailbox = Mailbox(line, tmp_path, "CA1")
    async with running(mailbox):
        line.hear(0, FRAME)
        mailbox.open()
        line.hear(20, FRAME)
        mailbox.close(keep=True)
        line.hear(40, FRAME)

    assert frames_of(tmp_path / "CA1-1.wav") == 160


@in_virtual_time
async def test_what_was_said_is_on_disk_a_moment_later_should_the_process_die(tmp_path: Path) -> None:
    line = listening()
    mailbox = Mailbox(line, tmp_path, "CA1")
    async with running(mailbox):
        mailbox.open()
        for seconds in (1, 2, 3):
            line.hear(seconds * 1000, FRAME)
            await asyncio.sleep(PIECE_S + 0.1)
            assert frames_of(tmp_path / "CA1-1.part") == seconds * 160
        assert line.recorded == bytearray()
        mailbox.close(keep=True)
        await asyncio.sleep(0.1)
        assert names(tmp_path) == ["CA1-1.wav"]

    assert frames_of(tmp_path / "CA1-1.wav") == 3 * 160


@in_virtual_time
async def test_a_call_that_ends_while_a_thread_writes_loses_nothing(tmp_path: Path) -> None:
    line = listening()
    mailbox = Mailbox(line, tmp_path, "CA1")
    async with asyncio.TaskGroup() as group:
        with mailbox._writer._turn:  # a slow disk
            task = group.create_task(mailbox.run())
            mailbox.open()
            line.hear(0, FRAME)
            for _ in range(5):
                await asyncio.sleep(0)
            assert line.recorded == bytearray()
            line.hear(20, FRAME)
            task.cancel()
            await asyncio.sleep(0)
            mailbox.close(keep=True)
            assert names(tmp_path) == []
    await mailbox.settle()

    assert frames_of(tmp_path / "CA1-1.wav") == 2 * 160
    assert names(tmp_path) == ["CA1-1.wav"]


@in_virtual_time
async def test_messages_of_one_call_follow_each_other(tmp_path: Path) -> None:
    line = listening()
    mailbox = Mailbox(line, tmp_path, "CA1")
    async with running(mailbox):
        for frames in (1, 2):
            mailbox.open()
            line.hear(0, FRAME * frames)
            mailbox.close(keep=True)

    assert [frames_of(tmp_path / f"CA1-{number}.wav") for number in (1, 2)] == [160, 320]


@pytest.mark.parametrize("frames", [0, 3])
@in_virtual_time
async def test_silence_is_not_kept(tmp_path: Path, frames: int) -> None:
    line = listening()
    mailbox = Mailbox(line, tmp_path, "CA1")
    async with running(mailbox):
        mailbox.open()
        line.hear(0, FRAME * frames)
        await asyncio.sleep(PIECE_S + 0.1)
        mailbox.close(keep=frames == 0)

    assert names(tmp_path) == []


def test_threat_19_without_a_folder_nothing_is_kept_and_that_is_told(tmp_path: Path) -> None:
    seen: list[Event] = []
    detach = attach(seen.append)
    line = listening()
    mailbox = Mailbox(line, None, "CA1")
    mailbox.open()
    line.hear(0, FRAME)
    mailbox.close(keep=True)
    detach()

    assert [(event["event"], event["reason"]) for event in seen] == [
        ("message.dropped", "RETENTION_DAYS is 0")
    ]
    assert line.recorded is None


@in_virtual_time
async def test_a_folder_that_cannot_be_written_is_told_and_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    events: list[Event] = []
    detach = attach(events.append)
    line = listening()
    mailbox = Mailbox(line, tmp_path / "file", "CA1")
    async with running(mailbox):
        mailbox.open()
        line.hear(0, FRAME)
        await asyncio.sleep(PIECE_S + 0.1)
        line.hear(20, FRAME)
        mailbox.close(keep=True)
        await asyncio.sleep(0.1)
    detach()

    assert [event["event"] for event in events] == ["message.lost"]
