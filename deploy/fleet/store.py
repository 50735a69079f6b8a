"""A store of the fleet's own, for as long as it runs: what a real one is to replicas in production."""

import asyncio
import shutil
import signal
from contextlib import suppress
from typing import Self

from deploy.fleet.ports import free_port

SERVERS = ("valkey-server", "redis-server")
READY_WITHIN_S = 20.0
LOOK_S = 0.05


class NoStore(Exception):
    """A store that cannot be started."""


class OwnStore:
    """A Valkey or Redis process on a free port, which keeps nothing on disk; runs while it is entered.

    Raises:
        NoStore: neither is installed, or it did not answer.
    """

    def __init__(self) -> None:
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """What REDIS_URL is to be."""
        return f"redis://127.0.0.1:{self._port}/0"

    async def __aenter__(self) -> Self:
        server = next(filter(None, map(shutil.which, SERVERS)), None)
        if server is None:
            raise NoStore(f"--redis needs {' or '.join(SERVERS)} (apt install redis-server)")
        self._process = await asyncio.create_subprocess_exec(
            server,
            *("--port", str(self._port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dbfilename", f"none-{self._port}.rdb"),
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the fleet's: the replicas tell the store that they go
        )
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self._answers():
                    if self._process.returncode is not None:
                        raise NoStore(f"{server} ended with exit code {self._process.returncode}")
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            await self.__aexit__()
            raise NoStore(f"{server} did not answer within {READY_WITHIN_S:g} s") from None
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        await self._process.wait()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return (await reader.readline()).startswith(b"+PONG")
        except OSError:
            return False
        finally:
            writer.close()
