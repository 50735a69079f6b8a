"""When to connect to a vendor, again, and when to give it up."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app import clock
from app.errors import Failure, ProviderError
from app.hearing.link import Link
from app.log import log

BACKOFF_S = (0.0, 0.3, 1.0)  # before each attempt, as long as nothing comes of them; then the ears are lost
STEADY_S = 10.0  # a connection that stood so long, or gave an answer, makes good those before
IDLE_RETRY_S = 3.0  # between attempts while nobody speaks: an outage may pass before it is noticed
OVERLOADED = (Failure.BUSY, Failure.OVER_LIMIT)
OVERLOADED_S = 0.5  # longer than usual before coming back to a vendor who has too much to do


@dataclass(slots=True)
class _Standing:
    """The connection that stands or stood last."""

    since: float = 0.0
    answers: int = 0  # of the session, when it was opened


class Connector:
    """Opens one connection of a session after the other; `open_link` tries once."""

    def __init__(
        self, open_link: Callable[[], Awaitable[Link]], *, backoff_s: tuple[float, ...] = BACKOFF_S
    ) -> None:
        self._open_link = open_link
        self._backoff_s = backoff_s
        self._failures = 0  # in a row
        self._standing = _Standing()
        self._hurry = asyncio.Event()

    async def first(self) -> Link:
        """Open the first connection.

        Raises:
            ProviderError: at once; the call has not been promised anything yet.
        """
        began = clock.now()
        link = await self._open_link()
        self._standing.since = clock.now()
        connect_ms = round((self._standing.since - began) * 1000)
        log.info("hearing.connected", provider=link.provider, connect_ms=connect_ms)
        return link

    async def again(self, lost: ProviderError, *, answers: int, idle: Callable[[], bool]) -> Link:
        """Replace a connection; while the caller speaks the attempts are counted, otherwise there is time.

        Raises:
            ProviderError: trying again cannot help, or did not.
        """
        stood_s = clock.now() - self._standing.since
        if answers > self._standing.answers or stood_s >= STEADY_S:
            self._failures = 0
        error = lost
        while True:
            log.warning(
                "hearing.connection_lost" if error is lost else "hearing.connecting_failed",
                provider=error.provider,
                kind=error.kind.value,
                reason=error.message,
                failures=self._failures,
            )
            self._hurry.clear()
            if not _passing(error) or (self._failures >= len(self._backoff_s) and not idle()):
                raise error
            await self._pause(error, idle=idle())
            self._failures += 1
            try:
                link = await self.first()
            except ProviderError as failed:
                error = failed
            else:
                self._standing.answers = answers
                return link

    def hurry(self) -> None:
        """The caller speaks: do not wait any longer."""
        self._hurry.set()

    async def _pause(self, error: ProviderError, *, idle: bool) -> None:
        overloaded_s = OVERLOADED_S if error.kind in OVERLOADED else 0.0
        if not idle:
            # Spread, since all calls of the house have lost the vendor at the same moment.
            backoff_s = self._backoff_s[self._failures] * random.uniform(0.8, 1.2)
            await asyncio.sleep(backoff_s + overloaded_s)
            return
        try:
            async with asyncio.timeout(overloaded_s + (IDLE_RETRY_S if self._failures else 0.0)):
                await self._hurry.wait()
        except TimeoutError:
            return


def _passing(error: ProviderError) -> bool:
    """Whether another connection may fare better; also after a message that made no sense."""
    return error.retryable or error.kind is Failure.GARBAGE
