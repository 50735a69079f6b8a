"""A load balancer for developers and tests, in a few pages: what any real one does in front of hotline.

Every request goes to a replica whose `/readyz` says yes, one request a connection, so that a replica on
its way out gets no more of them; a webhook that nobody answered is asked of the next one. Where no ready
one is left, as in a full house, whoever answers at all is asked: callers in line must be told. A WebSocket
is piped, and stays where it is. In production take haproxy, or what the platform has.
"""

import asyncio
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

LARGEST_HEAD = 64 * 1024  # bytes
LARGEST_BODY = 64 * 1024
CONNECT_WITHIN_S = 1.0
ANSWER_WITHIN_S = 15.0  # Twilio waits no longer
NOBODY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
PREFIX = re.compile(r"(/r\d+)/")  # names a replica


@dataclass(eq=False)
class Backend:
    """One replica, as far as the balancer knows it."""

    name: str
    port: int
    is_ready: bool = False
    answers: bool = False
    """Ready or not, it says so."""
    open: int = 0
    """Connections of callers that are there now."""


@dataclass(frozen=True, slots=True)
class Request:
    """The first request of a connection: all that is read of it."""

    path: str
    head: bytes
    body: bytes

    @property
    def upgrades(self) -> bool:
        return re.search(rb"\r\nupgrade: *websocket", self.head, re.IGNORECASE) is not None

    def once(self) -> bytes:
        """The request, and the wish that the connection be closed after it."""
        lines = [line for line in self.head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([lines[0], b"Connection: close", *lines[1:]]) + self.body


class Balancer:
    """Listens while it is entered.

    Args:
        backends: the replicas; the list may change at any time.
        port: 0 takes a free one.
        every_s: seconds between two looks at a replica's `/readyz`.
        tell: called with a line when a replica becomes ready, or is not any more.

    A socket's path such as `/r1/media-stream` prefers the backend named `r1`; a replica never sees the name.
    """

    def __init__(
        self,
        backends: Sequence[Backend],
        *,
        port: int = 0,
        every_s: float = 1.0,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._backends = backends
        self._port = port
        self._every_s = every_s
        self._tell = tell
        self._turn = itertools.count()
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, limit=LARGEST_HEAD, backlog=1024
        )
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._looking.cancel()
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(self._looking, *self._open, return_exceptions=True)

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    async def look(self, backend: Backend) -> bool:
        """Ask a replica whether it takes calls, and believe it."""
        ready = answers = False
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_WITHIN_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", backend.port)
                try:
                    writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    status = await reader.readline()
                    ready, answers = b" 200 " in status, bool(status)
                finally:
                    writer.close()
        if ready is not backend.is_ready:
            self._tell(f"{backend.name} {'takes' if ready else 'takes no'} calls")
        backend.is_ready, backend.answers = ready, answers
        return ready

    async def _look(self) -> None:
        while True:
            await asyncio.gather(*(self.look(backend) for backend in tuple(self._backends)))
            await asyncio.sleep(self._every_s)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # either side is gone
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request, wanted = _routed(await _request(reader))
        for backend in self._candidates(wanted):
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    there, back = await asyncio.open_connection("127.0.0.1", backend.port)
            except (OSError, TimeoutError):
                backend.is_ready = backend.answers = False
                continue
            backend.open += 1
            try:
                if await _relay(request, (reader, writer), (there, back)):
                    return
            finally:
                backend.open -= 1
                back.close()
        writer.write(NOBODY)

    def _candidates(self, wanted: str) -> Iterable[Backend]:
        """Who is asked, in order: the wanted one, those that are ready, the least busy first, the others."""
        turn = next(self._turn)
        alive = [backend for backend in self._backends if backend.answers]
        alive = alive[turn % len(alive) :] + alive[: turn % len(alive)] if alive else []
        named = [backend for backend in self._backends if backend.name == wanted]
        return dict.fromkeys(
            [*named, *sorted(alive, key=lambda backend: (not backend.is_ready, backend.open))]
        )


async def _request(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].decode("latin-1")
    length = re.search(rb"\r\ncontent-length: *(\d{1,6})\r\n", head, re.IGNORECASE)
    size = min(LARGEST_BODY, int(length[1])) if length else 0
    return Request(path, head, await reader.readexactly(size))


def _routed(request: Request) -> tuple[Request, str]:
    """The request as the replica is to see it, and the replica that is named in its path."""
    named = PREFIX.match(request.path)
    if named is None:
        return request, ""
    path = request.path[named.end(1) :]
    head = request.head.replace(request.path.encode("latin-1"), path.encode("latin-1"), 1)
    # Only sockets go back: what follows a stream is asked of anybody.
    return Request(path, head, request.body), named[1][1:] if request.upgrades else ""


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _relay(request: Request, client: Wire, replica: Wire) -> bool:
    """Pass the request on and the answer back; False when there was no answer, and another may be asked."""
    (reader, writer), (there, back) = client, replica
    try:
        back.write(request.head + request.body if request.upgrades else request.once())
        async with asyncio.timeout(ANSWER_WITHIN_S):
            begin = await there.read(LARGEST_HEAD)
    except (OSError, TimeoutError):
        return False
    if not begin:
        return False
    writer.write(begin)
    if request.upgrades:
        await asyncio.wait(
            [asyncio.create_task(_pipe(reader, back)), asyncio.create_task(_pipe(there, writer))],
        )
    else:
        await _pipe(there, writer)
    return True


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either end is gone; then so is the other."""
    with suppress(OSError):
        while (chunk := await reader.read(LARGEST_HEAD)) and not writer.is_closing():
            writer.write(chunk)
            await writer.drain()
    writer.close()
