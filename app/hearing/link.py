"""One WebSocket to a vendor that hears; its library's errors become ours here."""

import asyncio
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from app.errors import Failure, ProviderError
from app.hearing.dialect import Dialect, Heard, Message, Started
from app.hearing.fault import Fault

LARGEST_MESSAGE = 16 * 1024 * 1024  # bytes
SEND_S = 2.0  # a send that waits longer has met a dead connection
CLOSE_S = 1.0
LONGEST_MESSAGE = 300  # characters of a vendor's text that are kept
KEY_MASK = "[key]"
KEY_PREFIX = 8  # characters that give a key away: vendors echo keys in part


@dataclass(frozen=True, slots=True)
class Address:
    """Where a vendor's socket is, and what opens it."""

    provider: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    key: str = field(repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def error(self, fault: Fault) -> ProviderError:
        """The fault as ours to raise, cut short and without our key."""
        message = " ".join(fault.message.split())
        if self.key:
            message = re.sub(re.escape(self.key[:KEY_PREFIX]) + r"\w*", KEY_MASK, message)
        return ProviderError(self.provider, fault.kind, message[:LONGEST_MESSAGE])


class Link:
    """A connection on which audio may be sent."""

    def __init__(self, address: Address, dialect: Dialect, connection: ClientConnection) -> None:
        self.dialect = dialect
        self._address = address
        self._connection = connection
        self._broken: ProviderError | None = None

    @classmethod
    async def open(cls, address: Address, dialect: Dialect, *, within_s: float) -> Self:
        """Connect, and wait until the vendor is ready for audio.

        Raises:
            ProviderError: refused, unreachable or too slow.
        """
        try:
            async with asyncio.timeout(within_s):
                link = cls(address, dialect, await _connect(address))
                try:
                    while dialect.greets and not isinstance(await link.receive(), Started):
                        pass
                except BaseException:
                    link.abort()
                    raise
                return link
        except InvalidStatus as error:
            answer = error.response
            fault = dialect.refused(
                answer.status_code, dict(answer.headers.raw_items()), bytes(answer.body or b"")
            )
            raise address.error(fault) from error
        except TimeoutError as error:
            raise address.error(Fault(Failure.TIMEOUT, f"not ready within {within_s:g} s")) from error
        except (OSError, WebSocketException) as error:
            raise address.error(Fault(Failure.NETWORK, f"no connection: {error}")) from error

    @property
    def provider(self) -> str:
        return self._address.provider

    async def send(self, messages: Iterable[Message]) -> None:
        """Send what the vendor can still take; that it cannot is told by `receive`."""
        try:
            async with asyncio.timeout(SEND_S):
                for message in messages:
                    await self._connection.send(message)
        except TimeoutError:
            self.fail(Fault(Failure.TIMEOUT, "nothing could be sent"))
        except ConnectionClosed:
            return

    async def receive(self) -> Started | Heard:
        """What the vendor means by its next message that means anything.

        Raises:
            ProviderError: by an error message, a close, or because of `fail`.
        """
        while True:
            try:
                await asyncio.sleep(0)  # others' turn: a message that waits is had without waiting
                message = await self._connection.recv()
            except ConnectionClosed as error:
                raise self._broken or self._closed(error) from error
            fact = self.dialect.receive(message)
            if isinstance(fact, Fault):
                raise self._address.error(fact)
            if fact is not None:
                return fact

    def fail(self, fault: Fault) -> None:
        """The connection is of no use any more; `receive` raises this."""
        self._broken = self._broken or self._address.error(fault)
        self.abort()

    async def close(self) -> None:
        """Take leave; waits for the other side, but not for long, and not at all when cancelled."""
        try:
            await self.send(self.dialect.farewell())
            await self._connection.close()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close without a word."""
        self._connection.transport.abort()

    def _closed(self, error: ConnectionClosed) -> ProviderError:
        close = error.rcvd
        if close is None:
            return self._address.error(Fault(Failure.NETWORK, "the connection broke"))
        return self._address.error(self.dialect.closed(close.code, close.reason))


async def _connect(address: Address) -> ClientConnection:
    return await connect(
        address.url,
        ssl=address.tls,
        additional_headers=address.headers,
        open_timeout=None,  # the whole of the opening has one
        close_timeout=CLOSE_S,
        compression=None,
        max_size=LARGEST_MESSAGE,
    )
