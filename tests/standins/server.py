"""A real uvicorn on a loopback port, in the test's own event loop."""

import asyncio
import atexit
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from app.cli.serve import server_config
from app.settings import Settings


class QuietServer(uvicorn.Server):
    """uvicorn that leaves the process's signals to the test runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


# What the hotlines of this test process keep; never the checkout's own data.
DATA_DIR = tempfile.mkdtemp(prefix="hotline-tests-")
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)


def loopback() -> socket.socket:
    """A listener on a free port of this machine."""
    return socket.create_server(("127.0.0.1", 0))


def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def serving(app: Starlette, listener: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve `app` as `hotline serve` would; yields `http://127.0.0.1:<port>`."""
    async with served(app, listener) as (_, url):
        yield url


@asynccontextmanager
async def served(
    app: Starlette, listener: socket.socket | None = None
) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    """The same, with the server itself."""
    listener = listener or loopback()
    config = server_config(Settings.load({}))
    config.app, config.factory, config.loop = app, False, "none"
    server = QuietServer(config)
    # No TaskGroup: it would wrap the test's own error into a group.
    served = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this flag only
        await asyncio.sleep(0.005)
    try:
        yield server, address(listener)
    finally:
        server.should_exit = True
        await served
        listener.close()
