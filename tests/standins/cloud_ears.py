"""What the stand-ins for vendors that hear have in common: the server, its faults, and what it saw."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.standins.dictated import is_dictated, understood
from tests.standins.standin import Standin
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


class CloudEarsStandin(Standin):
    """A vendor on loopback; the n-th connection follows `scripts[n]`, later ones do no wrong."""

    path = ""

    def __init__(self, *scripts: Script, words: tuple[str, ...] = (), quiet_s: float) -> None:
        super().__init__()
        self.scripts = list(scripts)
        self.words = words
        self.quiet_s = quiet_s
        self.seen: list[Seen] = []
        self._arrived = asyncio.Condition()

    async def arrived(self, count: int) -> Seen:
        """Wait for the connection that makes it `count`."""
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.seen) >= count)
        return self.seen[count - 1]

    def refusal(self, request: Request) -> tuple[int, object, dict[str, str]] | None:
        """What the vendor answers in place of a session."""
        raise NotImplementedError

    async def converse(self, socket: Socket, script: Script, seen: Seen) -> None:
        """The session."""
        raise NotImplementedError

    async def route(self, wire: Wire, request: Request) -> bool:
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
                socket = Socket(wire)
                await socket.accept(request)
                await self.converse(socket, script, seen)
        finally:
            seen.gone.set()
        return False


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
    socket: Socket, script: Script, seen: Seen, error: Callable[[str], Awaitable[None]]
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
