"""A real redis-server that a test starts, pauses, kills and fails over, and a proxy that parts it from us."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

BINARY = shutil.which("valkey-server") or shutil.which("redis-server")
needs_redis = pytest.mark.skipif(BINARY is None, reason="neither redis-server nor valkey-server is installed")
STARTS_WITHIN_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class RedisServer:
    """One server on a port of its own, without persistence; entered for the length of a test."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._options = options
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")  # a standby writes its copy there
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.kill()
        self._folder.cleanup()

    async def start(self) -> None:
        """Start it, empty."""
        assert BINARY is not None
        self._forget()
        common = ("--dir", self._folder.name, "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0")
        self._process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [BINARY, "--port", str(self.port), "--save", "", "--appendonly", "no", *common, *self._options],
            stdout=subprocess.DEVNULL,
        )
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not await self._answers():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        """As a power cut would; harmless when repeated."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGCONT)
                self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def restart(self) -> None:
        """Kill it and start it again on the same port, empty."""
        self.kill()
        await self.start()

    async def do(self, *command: str | int) -> Any:
        """One command, on a connection of its own."""
        async with self.link() as redis:
            return await redis.execute_command(*command)  # type: ignore[no-untyped-call]

    def link(self) -> AbstractAsyncContextManager[Redis]:
        """A plain connection, for a look from outside."""
        return _link(self.port)

    async def pause(self, pause_ms: int) -> None:
        """CLIENT PAUSE: every command waits."""
        await self.do("CLIENT", "PAUSE", pause_ms, "ALL")

    async def follow(self, primary: "RedisServer") -> None:
        """Become a replica, and wait until all is copied."""
        await self.do("REPLICAOF", "127.0.0.1", primary.port)
        async with asyncio.timeout(STARTS_WITHIN_S):
            while (await self.do("INFO", "replication")).get("master_link_status") != "up":  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)

    async def promote(self) -> None:
        await self.do("REPLICAOF", "NO", "ONE")

    def _forget(self) -> None:
        for kept in Path(self._folder.name).iterdir():
            kept.unlink()

    async def _answers(self) -> bool:
        try:
            return bool(await self.do("PING"))
        except AuthenticationError:
            return True
        except (RedisError, OSError):
            return False


@asynccontextmanager
async def _link(port: int) -> AsyncIterator[Redis]:
    # A time limit of its own would swallow cancellations (asyncio.wait_for of Python 3.11).
    redis = Redis(port=port, protocol=2, socket_timeout=None)
    try:
        yield redis
    finally:
        await redis.aclose()


class Proxy:
    """A TCP proxy between one replica and the store; `port` may be pointed elsewhere, as a fail-over does."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._open = asyncio.Event()
        self._open.set()
        self._refuses = False
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.part()
        self._open.set()
        await asyncio.sleep(0.05)

    def hold(self) -> None:
        """A partition: connections stay, nothing passes."""
        self._open.clear()

    def part(self) -> None:
        """A partition: connections break, new ones are refused."""
        self._refuses = True
        for writer in self._writers:
            writer.transport.abort()

    def heal(self) -> None:
        self._refuses = False
        self._open.set()

    def point_at(self, target: int) -> None:
        """A fail-over: what was connected breaks, what connects now reaches `target`."""
        self.target = target
        self.part()
        self.heal()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, far_writer))
                group.create_task(self._copy(far_reader, writer))
        finally:
            self._writers -= {writer, far_writer}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while some := await reader.read(65536):
                await self._open.wait()
                writer.write(some)
                await writer.drain()
        writer.transport.abort()


async def until(is_so: Callable[[], bool]) -> None:
    """Look again and again, for as long as a loaded machine may need."""
    async with asyncio.timeout(STARTS_WITHIN_S):
        while not is_so():  # noqa: ASYNC110 - what we wait for has no bell
            await asyncio.sleep(0.02)
