"""The sockets of one process to Cartesia: one in quiet times, more where one is full."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from app.errors import Failure, ProviderError
from app.log import log
from app.speech.background import Background
from app.speech.cartesia_socket import MOST_SENTENCES, CartesiaSocket, Sentence
from app.speech.cartesia_wire import NAME


class Opening:
    """A socket that is not there yet, and how many wait for it."""

    def __init__(self) -> None:
        self.socket: asyncio.Future[CartesiaSocket] = asyncio.get_running_loop().create_future()
        self.socket.add_done_callback(lambda socket: socket.exception())  # also when nobody waits any more
        self.waiters = 0


class CartesiaSockets:
    """Opens sockets, has them read, and closes those that nobody needs; expiry of an idle one is ordinary."""

    def __init__(self, connect: Callable[[], Awaitable[CartesiaSocket]]) -> None:
        self._connect = connect
        self._open: list[CartesiaSocket] = []
        self._opening: Opening | None = None
        self._background = Background()

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._background.__aexit__(*exc)

    def __len__(self) -> int:
        return len(self._open)

    def warm(self) -> None:
        """Have a socket opened, if none is; never raises."""
        if self._opening is None and self.take() is None:
            self._background.start(self._warm_up())

    def take(self) -> CartesiaSocket | None:
        """A socket that takes one more sentence."""
        return next((socket for socket in self._open if socket.usable), None)

    async def connect(self) -> CartesiaSocket:
        """A fresh socket; those who ask for one at once share it, as far as it goes.

        Raises:
            ProviderError: refused, unreachable or too slow.
        """
        opening = self._opening
        if opening is None or opening.waiters >= MOST_SENTENCES:
            opening = self._opening = Opening()
            self._background.start(self._tend(opening))
        opening.waiters += 1
        return await asyncio.shield(opening.socket)

    async def probe(self) -> None:
        """Open a socket and close it.

        Raises:
            ProviderError: as `connect`.
        """
        socket = await self._connect()
        self._background.start(socket.close())

    def leave(self, socket: CartesiaSocket, sentence: Sentence) -> None:
        """A sentence is over, or nobody listens any more; what the vendor still does for it is cancelled."""
        unfinished = socket.leave(sentence)
        if not self._background.running:  # a sentence outlived its provider, whose sockets are closed
            return
        if unfinished:
            self._background.start(socket.cancel(sentence))
        others = any(other.usable for other in self._open if other is not socket)
        if socket.idle and (others or not socket.usable):
            socket.retire()
            self._background.start(socket.close())

    async def _warm_up(self) -> None:
        try:
            await self.connect()
        except ProviderError as error:
            # The sentence that needs a socket will meet this too, and report it.
            log.info("speech.warming_failed", provider=NAME, kind=error.kind.value)

    async def _tend(self, opening: Opening) -> None:
        """All of a socket's life."""
        failure = ProviderError(NAME, Failure.CLOSED, "the voice was closed")
        try:
            socket = await self._connect()
            opening.socket.set_result(socket)
        except ProviderError as error:
            failure = error
            return
        finally:
            if self._opening is opening:
                self._opening = None
            if not opening.socket.done():
                opening.socket.set_exception(failure)
        self._open.append(socket)
        try:
            failure = await socket.read()
            log.debug("speech.socket_expired", provider=NAME, kind=failure.kind.value)
        finally:
            self._open.remove(socket)
            await socket.close()
