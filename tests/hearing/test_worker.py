import asyncio
import os
import signal

import pytest

from app.errors import ProviderError
from app.hearing import recogniser_process, worker
from app.hearing.session import Session
from app.hearing.worker import Worker

SETUP: dict[str, object] = {"phrases": ["tour dates"], "full": False}


async def test_an_idle_process_that_is_stuck_is_found_by_its_heartbeat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.1)
    place, started = Worker(SETUP, slots=1), asyncio.Queue[ProviderError | None]()
    keeping = asyncio.get_running_loop().create_task(place.keep(started))
    await started.get()
    stuck = place.pid
    assert stuck is not None

    await asyncio.sleep(0.5)
    healthy = place.replaced
    os.kill(stuck, signal.SIGSTOP)
    async with asyncio.timeout(10):
        await started.get()

    assert (healthy, place.replaced) == (0, 1)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    with pytest.raises(ProcessLookupError):
        os.kill(stuck, 0)


async def test_a_failing_start_is_tried_again_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RESTART_PAUSE_S", 0.01)
    place, started = Worker(SETUP, slots=1), asyncio.Queue[ProviderError | None]()
    with monkeypatch.context() as broken:
        broken.setattr(recogniser_process, "MODULE", "app.hearing.nowhere")
        keeping = asyncio.get_running_loop().create_task(place.keep(started))
        async with asyncio.timeout(10):
            failure = await started.get()
        failing = place.failing

    async with asyncio.timeout(10):
        while await started.get():
            pass

    assert isinstance(failure, ProviderError)
    assert (failing, place.failing, place.alive) == (True, False, True)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_calls_can_begin_and_end_before_there_is_a_process() -> None:
    place, session = Worker(SETUP, slots=2), Session(1, ())

    place.admit(session)
    taken = place.taken
    place.dismiss(session)

    assert (taken, place.taken, place.alive, place.pid) == (1, 0, False, None)
    assert [transcript async for transcript in session.transcripts()] == []
