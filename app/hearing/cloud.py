"""Ears in the cloud: one session a call, over a WebSocket that is replaced when it breaks."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from app import clock
from app.audio.frame import SAMPLE_RATE
from app.errors import Failure, ProviderError
from app.hearing.connector import BACKOFF_S, Connector
from app.hearing.dialect import Dialect, Heard
from app.hearing.dictation import WAITS, Dictation, Waits
from app.hearing.fault import Fault
from app.hearing.link import Address, Link
from app.hearing.outbox import Outbox
from app.hearing.port import OnPosition, Transcript
from app.log import log


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a vendor may take, and how often its connection is replaced."""

    waits: Waits = WAITS
    connect_s: float = 3.0  # until it is ready for audio; a few tenths are usual
    backoff_s: tuple[float, ...] = BACKOFF_S


USUAL = Patience()


@dataclass(frozen=True, slots=True)
class Vendor:
    """All that is peculiar to a vendor."""

    name: str
    url: Callable[[Sequence[str]], str]  # of a session in which these phrases are likely
    headers: dict[str, str]
    key: str
    dialect: Callable[[], Dialect]


class CloudHearing:
    """A vendor's ears, shared by all calls."""

    def __init__(self, vendor: Vendor, patience: Patience = USUAL) -> None:
        self._vendor = vendor
        self._patience = patience
        # Reading the authorities takes tens of milliseconds in which no call would be served: once is enough.
        self._tls = ssl.create_default_context() if vendor.url(()).startswith("wss:") else None

    @property
    def name(self) -> str:
        return self._vendor.name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return

    @asynccontextmanager
    async def listen(
        self, phrases: Sequence[str] = (), *, on_position: OnPosition | None = None
    ) -> AsyncIterator["CloudListener"]:
        """A call's session; `on_position` stays silent: at a vendor nobody waits in line."""
        async with CloudListener(lambda: self._open(phrases), self._patience) as listener:
            yield listener

    async def ping(self) -> None:
        """Open a connection and close it: a refused key shows, and nothing is billed."""
        link = await self._open(())
        await link.close()

    async def _open(self, phrases: Sequence[str]) -> Link:
        vendor = self._vendor
        address = Address(vendor.name, vendor.url(phrases), vendor.headers, vendor.key, self._tls)
        return await Link.open(address, vendor.dialect(), within_s=self._patience.connect_s)


class CloudListener:
    """One call's session; entering it opens the first connection."""

    def __init__(self, open_link: Callable[[], Awaitable[Link]], patience: Patience) -> None:
        self._connector = Connector(open_link, backoff_s=patience.backoff_s)
        self._outbox = Outbox()
        self._dictation = Dictation(self._outbox.put, patience.waits)
        self._link: Link | None = None
        self._woken = asyncio.Event()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        self._attach(await self._connector.first())
        await self._group.__aenter__()
        self._tasks = [self._group.create_task(work) for work in (self._tell(), self._stay_connected())]
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            for task in self._tasks:
                task.cancel()
            # Not told of the caller's own exception, which would come out wrapped in a group.
            await self._group.__aexit__(None, None, None)
        finally:
            self._outbox.close()
            if self._dictation.dropped_bytes:
                log.warning("hearing.audio_dropped", dropped_ms=_ms(self._dictation.dropped_bytes))
            if self._link is not None:
                await self._link.close()

    def begin_utterance(self) -> int:
        number = self._dictation.begin(clock.now())
        self._woken.set()
        self._connector.hurry()
        return number

    def hear(self, mulaw: bytes) -> None:
        if self._dictation.hear(mulaw):
            self._woken.set()

    def end_utterance(self) -> None:
        self._dictation.end(clock.now())
        self._woken.set()

    def cancel_utterance(self) -> None:
        self._dictation.cancel(clock.now())
        self._woken.set()

    def transcripts(self) -> AsyncIterator[Transcript]:
        return self._outbox.read()

    async def _tell(self) -> None:
        """Send what is due, and give up what is overdue, as long as the session lasts."""
        while True:
            self._woken.clear()
            link, messages = self._link, self._dictation.release(clock.now())
            if link is not None and self._dictation.stalled:
                link.fail(Fault(Failure.TIMEOUT, "no last word in time"))
            if link is not None and messages:
                await link.send(messages)
            try:
                async with asyncio.timeout_at(self._dictation.next_release()):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _stay_connected(self) -> None:
        """Read what the vendor says, on one connection after the other, until it is given up."""
        while self._link is not None:
            lost = await self._read(self._link)
            link, self._link = self._link, None
            link.abort()
            answers, again_bytes = self._dictation.answers, self._dictation.disconnect()
            try:
                link = await self._connector.again(lost, answers=answers, idle=self._is_idle)
            except ProviderError as error:
                self._dictation.abandon(clock.now())
                self._outbox.close(error)
            else:
                self._attach(link)
                log.info("hearing.reconnected", provider=link.provider, replayed_ms=_ms(again_bytes))

    def _is_idle(self) -> bool:
        return self._dictation.idle

    async def _read(self, link: Link) -> ProviderError:
        try:
            while True:
                fact = await link.receive()
                if isinstance(fact, Heard):
                    self._dictation.heard(fact, clock.now())
                    self._woken.set()
        except ProviderError as error:
            return error

    def _attach(self, link: Link) -> None:
        self._link = link
        self._dictation.connect(link.dialect, clock.now())
        self._woken.set()


def _ms(mulaw_bytes: int) -> int:
    return round(mulaw_bytes * 1000 / SAMPLE_RATE)
