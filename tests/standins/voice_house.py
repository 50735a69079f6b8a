"""What the stand-ins of vendors that speak have in common: a server, its faults, and what it counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

from websockets.exceptions import InvalidState

from tests.standins.voice_bank import VoiceBank
from tests.standins.wire import Request, Socket, Wire


@dataclass(frozen=True)
class Script:
    """How one sentence goes; the default does nothing wrong."""

    delay_s: float = 0.01  # before the first audio
    gap_s: float = 0.0  # between two pieces
    piece_bytes: int = 1001  # an odd number: samples are cut in two
    refuse: tuple[int, object] | None = None  # status and body, instead of a stream or a socket
    refuse_headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False  # never answer the request or handshake
    frame: str = ""  # a text message before any audio
    close: tuple[int, str] | None = None  # close code and reason, at the first text
    silent: bool = False  # a proper end, and no audio
    body: bytes | None = None  # instead of the audio
    media_type: str = ""  # instead of the honest one
    cut_after: int | None = None  # bytes of audio until the connection is cut
    stall_after: int | None = None  # bytes of audio until nothing more comes


class Gone(Exception):
    """The client has closed, or the script has cut the connection."""


class Generations:
    """Sentences being made: what a vendor bills and limits."""

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.running = self.peak = self.finished = self.cancelled = 0

    @property
    def full(self) -> bool:
        return self.limit is not None and self.running >= self.limit

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        self.running += 1
        self.peak = max(self.peak, self.running)
        whole = False
        try:
            yield
            whole = True
        finally:
            self.running -= 1
            self.finished += whole
            self.cancelled += not whole


class VoiceHouse:
    """A server on loopback; `scripts` are for the first sentences, each once, `script` for all others."""

    def __init__(self, *scripts: Script, limit: int | None = None) -> None:
        self.scripts = list(scripts)
        self.script = Script()
        self.bank = VoiceBank()
        self.generations = Generations(limit)
        self.connections = 0  # that were ever opened
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.bank.__aenter__()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for connection in tuple(self._open):
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        await self.bank.__aexit__(*exc)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def next_script(self) -> Script:
        return self.scripts.pop(0) if self.scripts else self.script

    async def route(self, wire: Wire, request: Request) -> bool:
        """Answer one request; False when the connection is used up."""
        raise NotImplementedError

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        wire = Wire(reader, writer)
        try:
            while (request := await wire.request()) is not None and await self.route(wire, request):
                pass
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or the house is shut
        finally:
            self._open.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


class VoiceSocket(Socket):
    """A socket that can also send audio as it is, and greet with headers."""

    async def send_binary(self, payload: bytes) -> None:
        """Nothing happens when the client has gone."""
        try:
            self.protocol.send_binary(payload)
        except InvalidState:
            return
        await self._flush()

    async def greet(self, request: Request, headers: dict[str, str]) -> None:
        """Accept, with headers of the vendor's own."""
        self.protocol.receive_data(request.head)
        (handshake,) = self.protocol.events_received()
        response = self.protocol.accept(handshake)  # type: ignore[arg-type]
        for name, value in headers.items():
            response.headers[name] = value
        self.protocol.send_response(response)
        await self._flush()


def pieces(audio: bytes, script: Script) -> list[bytes]:
    return [audio[at : at + script.piece_bytes] for at in range(0, len(audio), script.piece_bytes)]


async def until(fact: object, within_s: float = 20.0) -> None:
    """Wait until `fact()` is true; fails when it never becomes so."""
    assert callable(fact)
    async with asyncio.timeout(within_s):
        while not fact():  # noqa: ASYNC110 - what is watched has no event of its own
            await asyncio.sleep(0.005)
