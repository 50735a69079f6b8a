"""A hotline to call: the one that runs already, or one of our own for as long as the call lasts."""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import IO

import httpx

from app.errors import BridgeError

READY_WITHIN_S = 30.0  # seconds; importing everything on a cold machine takes several
STOP_WITHIN_S = 10.0
ANSWER_WITHIN_S = 2.0
LAST_WORDS = 2000  # characters of a server's output that we repeat


class NoHotline(BridgeError):
    """There is nothing to call, and none could be started."""


@asynccontextmanager
async def at_hand(environ: Mapping[str, str]) -> AsyncIterator[str]:
    """The webhook's URL of a hotline on this machine, which is started when none is running.

    Raises:
        NoHotline: it did not start.
    """
    here = f"http://localhost:{environ.get('PORT') or 8000}"
    if await _lives(here):
        yield f"{here}/voice"
        return
    async with started(environ) as there:
        yield f"{there}/voice"


@asynccontextmanager
async def started(environ: Mapping[str, str]) -> AsyncIterator[str]:
    """A hotline of our own on a free port of loopback, stopped at the end.

    Raises:
        NoHotline: it did not start; with its last words.
    """
    port = _free_port()
    url = f"http://localhost:{port}"
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "app", "serve"),
            env={**environ, "HOST": "127.0.0.1", "PORT": str(port)},
            stdout=output,
            stderr=output,
        )
        try:
            await _until_it_lives(process, url, output)
            yield url
        finally:
            await _stop(process)


async def _until_it_lives(process: asyncio.subprocess.Process, url: str, output: IO[bytes]) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while process.returncode is None:
                if await _lives(url):
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise NoHotline(f"hotline did not answer within {READY_WITHIN_S:g} s:\n{_tail(output)}") from None
    raise NoHotline(f"hotline did not start (exit code {process.returncode}):\n{_tail(output)}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _lives(url: str) -> bool:
    # Plain http on loopback: there is nothing to verify, and reading all certificates takes its time.
    async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False, verify=False) as http:
        try:
            return (await http.get(f"{url}/livez")).is_success
        except httpx.TransportError:
            return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - LAST_WORDS))
    return output.read().decode(errors="replace").strip()
