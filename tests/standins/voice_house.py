"""What the stand-ins of vendors that speak have in common: a server, its faults, and what it counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.exceptions import InvalidState

from tests.standins.standin import SpeakingStandin
from tests.standins.wire import Request, Socket


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


class VoiceHouse(SpeakingStandin):
    """`scripts` are for the first sentences, each once, `script` for all others."""

    def __init__(self, *scripts: Script, limit: int | None = None) -> None:
        super().__init__()
        self.scripts = list(scripts)
        self.script = Script()
        self.generations = Generations(limit)

    def next_script(self) -> Script:
        return self.scripts.pop(0) if self.scripts else self.script


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
