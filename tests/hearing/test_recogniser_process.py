import asyncio
import json
import os
import signal

import pytest

from app.errors import ProviderError
from app.hearing import recogniser_process
from app.hearing.recogniser_process import RecogniserProcess
from app.hearing.recogniser_wire import Kind, Packet

SETUP: dict[str, object] = {"phrases": ["tour dates"], "full": False}


async def test_a_started_process_is_warm_and_answers() -> None:
    process = await RecogniserProcess.start(SETUP)

    process.send(Packet(Kind.PING))

    beat = await process.receive()
    assert beat is not None
    assert (beat.kind, json.loads(beat.payload)["resident_kb"] > 0) == (Kind.PONG, True)
    assert process.resident_kb > 10_000
    await process.stop()


async def test_a_killed_process_is_seen_by_its_reader() -> None:
    process = await RecogniserProcess.start(SETUP)

    process.kill()

    assert await process.receive() is None
    assert not process.alive
    process.send(Packet(Kind.PING))  # lost, not raised
    await process.stop()


async def test_a_stopped_process_is_gone() -> None:
    process = await RecogniserProcess.start(SETUP)

    await process.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


async def test_a_process_that_does_not_even_listen_is_stopped_by_force() -> None:
    process = await RecogniserProcess.start(SETUP)
    os.kill(process.pid, signal.SIGSTOP)

    await process.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


async def test_a_suspect_that_spoke_just_now_lives() -> None:
    process = await RecogniserProcess.start(SETUP)

    process.suspect()
    process.send(Packet(Kind.PING))

    beat = await process.receive()
    assert beat is not None
    assert (beat.kind, json.loads(beat.payload)["resident_kb"] > 0) == (Kind.PONG, True)
    await process.stop()


async def test_a_suspect_that_is_silent_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser_process, "STUCK_S", 0.0)
    process = await RecogniserProcess.start(SETUP)

    process.suspect()

    assert await process.receive() is None
    await process.stop()


@pytest.mark.parametrize("timeout_s", [20.0, 0.0])
async def test_a_process_that_does_not_come_up_is_an_error(
    monkeypatch: pytest.MonkeyPatch, timeout_s: float
) -> None:
    monkeypatch.setattr(recogniser_process, "START_TIMEOUT_S", timeout_s)
    if timeout_s:
        monkeypatch.setattr(recogniser_process, "MODULE", "app.hearing.nowhere")

    with pytest.raises(ProviderError, match="does not start"):
        await RecogniserProcess.start(SETUP)


async def test_a_start_that_is_cancelled_leaves_no_process() -> None:
    start = asyncio.get_running_loop().create_task(RecogniserProcess.start(SETUP))
    await asyncio.sleep(0.05)

    start.cancel()

    with pytest.raises(asyncio.CancelledError):
        await start
