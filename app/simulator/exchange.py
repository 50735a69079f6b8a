"""What all simulated callers of a process share: one clock, and connections for webhooks."""

import asyncio
from typing import Self

import httpx

from app.simulator.ticker import Ticker
from app.simulator.tls import trust

LIMITS = httpx.Limits(max_keepalive_connections=100)  # and as many at once as there are callers


class Exchange:
    """The telephone exchange; entered once, used by any number of calls."""

    def __init__(self) -> None:
        self.ticker = Ticker()
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._group = asyncio.TaskGroup()
        self._ticking: asyncio.Task[None] | None = None

    @property
    def transport(self) -> httpx.AsyncHTTPTransport:
        if self._transport is None:
            raise RuntimeError("exchange that was not entered")
        return self._transport

    async def __aenter__(self) -> Self:
        self._transport = httpx.AsyncHTTPTransport(verify=await trust(), limits=LIMITS)
        await self._group.__aenter__()
        self._ticking = self._group.create_task(self.ticker.run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        try:
            # Not told of the owner's own exception, which would come out wrapped in a group.
            await self._group.__aexit__(None, None, None)
        finally:
            if self._transport is not None:
                await self._transport.aclose()
