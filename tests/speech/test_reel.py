import asyncio

import pytest

from app.speech.reel import Reel
from tests.virtual_time import in_virtual_time

SECOND = b"\x01" * 8_000


@in_virtual_time
async def test_frames_come_out_as_they_went_in_and_then_it_ends() -> None:
    reel = Reel()
    await reel.put(b"one")
    await reel.put(b"two")
    reel.end()

    assert [mulaw async for mulaw in reel.frames()] == [b"one", b"two"]


@in_virtual_time
async def test_a_reader_waits_for_the_writer() -> None:
    reel = Reel()

    async def write() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            await reel.put(SECOND)
        await asyncio.sleep(1)
        reel.end()

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        assert [mulaw async for mulaw in reel.frames()] == [SECOND] * 3


@in_virtual_time
async def test_a_writer_waits_while_it_is_full() -> None:
    reel, put = Reel(longest_bytes=2 * 8_000), list[int]()

    async def write() -> None:
        for number in range(4):
            await reel.put(SECOND)
            put.append(number)
        reel.end()

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        await asyncio.sleep(1)
        assert put == [0, 1]
        frames = reel.frames()
        await anext(frames)
        await asyncio.sleep(1)
        assert put == [0, 1, 2]
        assert len([mulaw async for mulaw in frames]) == 3


@in_virtual_time
async def test_an_error_comes_behind_the_last_frame_and_the_first_end_counts() -> None:
    reel, heard = Reel(), list[bytes]()
    await reel.put(SECOND)
    reel.end(ValueError("so it is"))
    reel.end()
    reel.end(KeyError())

    with pytest.raises(ValueError, match="so it is"):
        async for mulaw in reel.frames():
            heard.append(mulaw)
    assert heard == [SECOND]
