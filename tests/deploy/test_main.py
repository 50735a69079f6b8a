"""`python -m deploy.fleet` as a developer runs it."""

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process

import httpx

from deploy.fleet.fleet import free_port

WITHIN_S = 60.0


async def line_with(process: Process, pattern: str) -> str:
    """Wait for a line of its output."""
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        while line := (await process.stdout.readline()).decode():
            if re.search(pattern, line):
                return line
    raise AssertionError(f"no line with {pattern}")


async def test_it_says_what_is_where_rolls_on_sighup_and_stops_in_order_on_ctrl_c() -> None:
    port = free_port()
    argv = ("-m", "deploy.fleet", "--replicas", "1", "--port", str(port))
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, stdout=PIPE)
    try:
        first = await line_with(process, r"^r1 on port \d+, pid \d+, log ")
        await line_with(process, f"ready: call http://127.0.0.1:{port}/voice")
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"http://127.0.0.1:{port}/livez")
        process.send_signal(signal.SIGHUP)
        second = await line_with(process, r"^r2 on port \d+")
        gone = await line_with(process, r"^r1 has gone")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(WITHIN_S):
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()

    assert answer.is_success
    assert first.split(",")[0] != second.split(",")[0]
    assert gone.strip().endswith("exit code 0")
    assert code == 0


async def test_a_fleet_of_nothing_is_refused() -> None:
    argv = ("-m", "deploy.fleet", "--replicas", "0")
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, stderr=PIPE)
    _, said = await process.communicate()

    assert process.returncode == 2
    assert b"expected 1 or more" in said
