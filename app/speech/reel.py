"""Frames on their way from a voice to whoever plays them, so that the voice never waits for the playing."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

LONGEST_BYTES = (
    60 * 8_000
)  # of one sentence; a minute, where a sentence lasts up to 20 s. Beyond it the voice waits


class Reel:
    """One writer puts frames and ends it, one reader takes them."""

    def __init__(self, longest_bytes: int = LONGEST_BYTES) -> None:
        self._longest_bytes = longest_bytes
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._ended = False
        self._error: BaseException | None = None
        self._changed = asyncio.Event()

    async def put(self, mulaw: bytes) -> None:
        while self._bytes >= self._longest_bytes:
            await self._change()
        self._pieces.append(mulaw)
        self._bytes += len(mulaw)
        self._changed.set()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing follows; `error` is raised to the reader behind the last frame. The first end counts."""
        if not self._ended:
            self._ended, self._error = True, error
            self._changed.set()

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """What was put, as it was put; to be used inside `contextlib.aclosing`."""
        while True:
            while not self._pieces:
                if self._ended:
                    if self._error is not None:
                        raise self._error
                    return
                await self._change()
            mulaw = self._pieces.popleft()
            self._bytes -= len(mulaw)
            self._changed.set()
            yield mulaw

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
