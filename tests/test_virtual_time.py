"""The loop that the tests of time stand on."""

import asyncio
import socket
import threading
import time

import pytest

from app import clock
from tests.virtual_time import START_S, Deadlock, in_virtual_time, run


def test_an_hour_passes_at_once_and_exactly() -> None:
    async def sleep() -> float:
        await asyncio.sleep(3600)
        return clock.now()

    before = time.monotonic()

    assert run(sleep()) == START_S + 3600
    assert time.monotonic() - before < 60  # not a measure of speed: an hour has not passed


def test_timers_fire_in_the_order_of_their_deadlines() -> None:
    async def fire() -> list[tuple[str, float]]:
        fired: list[tuple[str, float]] = []

        async def after(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            fired.append((name, clock.now() - START_S))

        async with asyncio.TaskGroup() as group:
            group.create_task(after("late", 0.5))
            group.create_task(after("early", 0.25))
        return fired

    assert run(fire()) == [("early", 0.25), ("late", 0.5)]


def test_time_stands_still_while_there_is_work() -> None:
    async def work() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return clock.now()

    assert run(work()) == START_S


def test_a_wait_that_nobody_ends_is_a_deadlock() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run(wait())


def test_a_timeout_ends_a_wait_that_nobody_else_ends() -> None:
    async def wait() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return clock.now()

    assert run(wait()) == START_S + 30


def test_what_a_deadlock_leaves_behind_is_cancelled() -> None:
    cancelled = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    with pytest.raises(Deadlock):
        run(wait())

    assert cancelled == [True]


def test_the_clock_waits_for_threads() -> None:
    async def in_thread() -> tuple[str, float]:
        released = threading.Event()
        async with asyncio.timeout(1):
            asyncio.get_running_loop().call_soon(released.set)
            answer = await asyncio.to_thread(lambda: "done" if released.wait(5) else "never released")
        return answer, clock.now()

    assert run(in_thread()) == ("done", START_S)


def test_bytes_on_a_socket_come_before_a_timer() -> None:
    async def through_sockets() -> tuple[bytes, float]:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        theirs.sendall(b"hello\n")
        async with asyncio.timeout(1):
            line = await reader.readline()
        theirs.close()
        writer.close()
        await writer.wait_closed()
        return line, clock.now()

    assert run(through_sockets()) == (b"hello\n", START_S)


@pytest.mark.parametrize("seconds", [1, 60])
@in_virtual_time
async def test_a_test_in_virtual_time_takes_parameters_and_fixtures(
    seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_TEST", "1")

    await asyncio.sleep(seconds)

    assert clock.now() == START_S + seconds
    assert asyncio.get_running_loop().get_debug()
