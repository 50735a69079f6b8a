"""What the stand-ins for vendors that hear have in common: the server, its faults, and what it saw."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from websockets.frames import Frame, Opcode

from tests.standins.dictated import is_dictated, understood
from tests.standins.wire import Request, Socket, Wire

BYTES_PER_WORD = 2400  # of a voice: a script's words come at this pace


@dataclass(frozen=True)
class Script:
    """How one connection behaves; the default does nothing wrong."""

    words: tuple[str, ...] = ()  # of each utterance, where the audio is a voice and not dictated
    final_ms: int = 10  # from being asked to the last word
    refuse: tuple[int, object] | None = None  # status and body of a refused handshake
    refuse_headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False  # never answer the handshake
    greet: bool = True  # say that the session has started
    mute: bool = False  # take audio and say nothing about it
    fault_after: int = 0  # bytes of audio until one of the next four
    error: str = ""  # an error message of this kind, and the close that belongs to it
    close: tuple[int, str] | None = None  # a close without a word
    frame: str = ""  # a message that is garbage, or that nobody knows
    cut: bool = False  # as a dying machine would
    late_partial: bool = False  # after the final, and again after the next audio
    double_final: bool = False  # each final twice
    twins: str = ""  # `plain` or `timed`: a second form of each final, and which comes first
    segment_bytes: int | None = None  # audio after which the vendor settles words by itself; None: as usual


@dataclass
class Seen:
    """One connection, as the stand-in saw it."""

    request: Request
    messages: list[dict[str, object]] = field(default_factory=list)  # JSON, without audio
    sizes: list[int] = field(default_factory=list)  # bytes of audio in each message that had some
    audio: bytearray = field(default_factory=bytearray)
    gone: asyncio.Event = field(default_factory=asyncio.Event)  # the session has ended


@dataclass
class AudioSocket(Socket):
    """A WebSocket that takes binary messages too."""

    _waiting: list[str | bytes] = field(default_factory=list)

    async def message(self) -> str | bytes | None:
        """The next message; None when the client has gone."""
        while True:
            for event in self.protocol.events_received():
                if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                    payload = bytes(event.data)
                    self._waiting.append(payload.decode() if event.opcode is Opcode.TEXT else payload)
            if self._waiting:
                return self._waiting.pop(0)
            if not self.open:
                return None
            try:
                received = await self.wire.reader.read(65536)
            except ConnectionError:
                received = b""
            if received:
                self.protocol.receive_data(received)
            else:
                self.protocol.receive_eof()
            await self._flush()


class CloudEarsStandin:
    """A vendor on loopback; the n-th connection follows `scripts[n]`, later ones do no wrong."""

    path = ""

    def __init__(self, *scripts: Script, words: tuple[str, ...] = (), quiet_s: float) -> None:
        self.scripts = list(scripts)
        self.words = words
        self.quiet_s = quiet_s
        self.seen: list[Seen] = []
        self.port = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.hang_up()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def arrived(self, count: int) -> Seen:
        """Wait for the connection that makes it `count`."""
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.seen) >= count)
        return self.seen[count - 1]

    def hang_up(self) -> None:
        """All connections break, as if the machine died."""
        for connection in tuple(self._connections):
            connection.cancel()

    def refusal(self, request: Request) -> tuple[int, object, dict[str, str]] | None:
        """What the vendor answers in place of a session."""
        raise NotImplementedError

    async def converse(self, socket: AudioSocket, script: Script, seen: Seen) -> None:
        """The session."""
        raise NotImplementedError

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        wire = Wire(reader, writer)
        try:
            request = await wire.request()
            if request is not None:
                await self._upgrade(wire, request)
        except (ConnectionError, asyncio.CancelledError):
            wire.cut()  # not raised: `asyncio.start_server` reports a cancelled connection as an error
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _upgrade(self, wire: Wire, request: Request) -> None:
        at = len(self.seen)
        script = self.scripts[at] if at < len(self.scripts) else Script(words=self.words)
        seen = Seen(request)
        async with self._arrived:
            self.seen.append(seen)
            self._arrived.notify_all()
        refusal = self.refusal(request)
        try:
            if script.hang:
                await wire.gone()
            elif script.refuse is not None:
                await wire.answer(*script.refuse, script.refuse_headers)
            elif not request.is_upgrade or request.path != self.path:
                await wire.answer(404, {"detail": "Not Found"})
            elif refusal is not None:
                await wire.answer(*refusal)
            else:
                socket = AudioSocket(wire)
                await socket.accept(request)
                await self.converse(socket, script, seen)
        finally:
            seen.gone.set()


@dataclass
class Recogniser:
    """What a session has understood of its audio."""

    script: Script
    utterances: int = 0

    def text(self, mulaw: bytes) -> str:
        """The words of the audio of one utterance so far, or of the script's."""
        if is_dictated(mulaw) or self.utterances >= len(self.script.words):
            return understood(mulaw)
        words = self.script.words[self.utterances].split()
        return " ".join(words[: len(mulaw) // BYTES_PER_WORD + 1])


async def misbehave(
    socket: AudioSocket, script: Script, seen: Seen, error: Callable[[str], Awaitable[None]]
) -> bool:
    """Do what the script wants after so much audio; whether that was the end of the session."""
    if len(seen.audio) < script.fault_after:
        return False
    if script.frame:
        await socket.send(script.frame)
    if script.error:
        await error(script.error)
    elif script.close is not None:
        await socket.close(*script.close)
    elif script.cut:
        socket.wire.cut()
    else:
        return False
    return True
