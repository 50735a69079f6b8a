"""`python -m deploy.fleet` as a developer runs it."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import httpx
import pytest

from app.telephony.signature import sign
from deploy.fleet.ports import free_port
from tests.standins.redis import needs_redis

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


@needs_redis
async def test_with_a_store_of_its_own_webhooks_are_signed_and_every_replica_has_its_folder(
    tmp_path: Path,
) -> None:
    port = free_port()
    argv = ("-m", "deploy.fleet", "--redis", "--port", str(port))
    environ = {**os.environ, "TWILIO_AUTH_TOKEN": "12345", "DATA_DIR": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, stdout=PIPE, env=environ)
    try:
        store = (await line_with(process, r"^store at redis://127\.0\.0\.1:\d+/0")).split()[-1]
        await line_with(process, f"ready: call http://127.0.0.1:{port}/voice")
        url, form = f"http://127.0.0.1:{port}/voice", {"CallSid": "CA1"}
        async with httpx.AsyncClient(trust_env=False) as http:
            signed = await http.post(
                url, data=form, headers={"X-Twilio-Signature": sign("12345", url, form.items())}
            )
            stranger = await http.post(url, data=form)
    finally:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(WITHIN_S):
            code = await process.wait()

    assert (signed.status_code, stranger.status_code, code) == (200, 403, 0)
    assert f'url="ws://127.0.0.1:{port}/media-stream"' in signed.text
    assert set(os.listdir(tmp_path)) == {"logs", "r1", "r2"}
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", int(store.split(":")[-1].partition("/")[0]))


async def test_without_a_store_a_token_is_refused_before_anything_starts() -> None:
    environ = {**os.environ, "TWILIO_AUTH_TOKEN": "12345"}
    argv = ("-m", "deploy.fleet")
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, stderr=PIPE, env=environ)
    _, said = await process.communicate()

    assert process.returncode == 2
    assert b"needs a store" in said


async def test_a_fleet_of_nothing_is_refused() -> None:
    argv = ("-m", "deploy.fleet", "--replicas", "0")
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, stderr=PIPE)
    _, said = await process.communicate()

    assert process.returncode == 2
    assert b"expected 1 or more" in said
