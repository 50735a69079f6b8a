"""Sockets to ElevenLabs, opened before they are needed: while the phone rings or a sentence plays."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from app.errors import ProviderError
from app.log import log
from app.speech.background import Background
from app.speech.elevenlabs_errors import NAME
from app.speech.elevenlabs_socket import SpeechSocket

KEEP_ALIVE_S = 10.0  # the vendor closes a socket that has been without text for 20 s
IDLE_S = 120.0  # nobody has spoken for so long that a socket would be held open for nothing


class WarmSockets:
    """At most `size` sockets, each handed out once; expiry of one is ordinary and no failure."""

    def __init__(
        self, connect: Callable[[], Awaitable[SpeechSocket]], *, size: int, keep_alive_s: float = KEEP_ALIVE_S
    ) -> None:
        self._connect = connect
        self._size = size
        self._keep_alive_s = keep_alive_s
        self._ready: dict[SpeechSocket, asyncio.Task[None]] = {}
        self._opening = 0
        self._background = Background()

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._background.__aexit__(*exc)

    def __len__(self) -> int:
        return len(self._ready)

    def fill(self) -> None:
        """Open in the background what is missing; never raises."""
        while self._opening + len(self._ready) < self._size:
            self._opening += 1
            self._background.start(self._tend())

    def take(self) -> SpeechSocket | None:
        """The oldest socket that still stands, for the caller alone."""
        while self._ready:
            socket = next(iter(self._ready))
            self._ready.pop(socket).cancel()
            if socket.usable:
                return socket
        return None

    def retire(self, socket: SpeechSocket) -> None:
        """Close a socket that was taken, without waiting for it."""
        self._background.retire(socket)

    async def _tend(self) -> None:
        try:
            socket = await self._connect()
        except ProviderError as error:
            # The sentence that needs a socket will meet this too, and report it.
            log.info("speech.warming_failed", provider=NAME, kind=error.kind.value)
            return
        finally:
            self._opening -= 1
        task = asyncio.current_task()
        assert task is not None
        self._ready[socket] = task
        try:
            await self._keep(socket)
        except ProviderError as error:
            log.debug("speech.socket_expired", provider=NAME, kind=error.kind.value)
        finally:
            if self._ready.pop(socket, None) is not None:  # not taken: ours to close
                await socket.close()

    async def _keep(self, socket: SpeechSocket) -> None:
        for _ in range(int(IDLE_S / self._keep_alive_s)):
            try:
                async with asyncio.timeout(self._keep_alive_s):
                    await socket.wait_closed()
                return
            except TimeoutError:
                await socket.keep_alive()
