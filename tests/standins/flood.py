"""Strangers at the door: slow connections, connections that come and go, sockets that never start.

They run in a process of their own, as they would: `python -m tests.standins.flood PORT SECONDS SLOW`.
"""

import asyncio
import contextlib
import random
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

COMERS, SHAKERS = 20, 40  # at once
PAUSE_S = 0.04  # of each comer, twice: all share the machine with those who are to be served
AGAIN_S = 1.0  # until who was dropped comes again
HEAD = b"POST /voice HTTP/1.1\r\nHost: x\r\nX-Padding: " + b"x" * 10_000
UPGRADE = (
    b"GET /media-stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
Deed = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte of a head each second, until we are dropped."""
    for at in range(len(HEAD)):
        writer.write(HEAD[at : at + 1])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await reader.read(1)
                return


async def come_and_go(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(PAUSE_S)


async def shake_and_wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A handshake, and then nothing."""
    writer.write(UPGRADE)
    while await reader.read(1000):
        pass


async def again_and_again(port: int, deed: Deed) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await deed(reader, writer)
            finally:
                writer.transport.abort()
        await asyncio.sleep(PAUSE_S if deed is come_and_go else random.random() * AGAIN_S)


async def flood(port: int, seconds: float, slow: int) -> None:
    """All of them, for so long."""
    crowds: Sequence[tuple[Deed, int]] = (
        (trickle, slow),
        (come_and_go, COMERS),
        (shake_and_wait, SHAKERS),
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for deed, size in crowds:
                for _ in range(size):
                    group.create_task(again_and_again(port, deed))


if __name__ == "__main__":
    asyncio.run(flood(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
