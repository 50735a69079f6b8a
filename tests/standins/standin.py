"""What every vendor's stand-in is: a server on loopback that answers what it is asked, or breaks as told."""

import asyncio
from contextlib import suppress
from typing import Self

from tests.standins.voice_bank import VoiceBank
from tests.standins.wire import Request, Wire


class Standin:
    """A kind of vendor answers in `route`."""

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self.connections = 0  # that were ever opened
        self._open: dict[asyncio.Task[None], Wire] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.hang_up()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def drop_connections(self) -> None:
        """Cut every connection, as a balancer does with those that it thinks idle."""
        for wire in self._open.values():
            wire.cut()

    def hang_up(self) -> None:
        """All connections break, and what was done on them is left, as if the machine died."""
        for connection in tuple(self._open):
            connection.cancel()

    async def route(self, wire: Wire, request: Request) -> bool:
        """Answer one request; False when the connection is used up."""
        raise NotImplementedError

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        wire = self._open[task] = Wire(reader, writer)
        try:
            while (request := await wire.request()) is not None and await self.route(wire, request):
                pass
        except (ConnectionError, asyncio.CancelledError):
            wire.cut()  # not raised: `asyncio.start_server` reports a cancelled connection as an error
        finally:
            self._open.pop(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


class SpeakingStandin(Standin):
    """Of a vendor that speaks: `bank` makes the audio of its sentences."""

    def __init__(self, *, port: int = 0, bank: VoiceBank | None = None) -> None:
        super().__init__(port=port)
        self.bank = bank or VoiceBank()

    async def __aenter__(self) -> Self:
        await self.bank.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        await self.bank.__aexit__(*exc)
