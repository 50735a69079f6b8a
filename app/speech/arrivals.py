"""What has come from a vendor for one sentence, between its reader and its listener.

A vendor is read as fast as it sends, since it counts a generation as running until its last byte is taken;
the listener takes the pieces at its own pace, and the vendor's budgets are watched where the listener waits.
"""

import asyncio
from collections.abc import AsyncGenerator

from app import clock
from app.errors import Failure, ProviderError
from app.speech.connection import Patience
from app.speech.port import Piece, Spoken


class Arrivals:
    """Pieces in order, then the end or an error; one reader puts them in, one listener takes them out."""

    def __init__(self, provider: str, patience: Patience) -> None:
        self._provider = provider
        self._patience = patience
        self._pieces: asyncio.Queue[Piece | ProviderError | None] = asyncio.Queue()
        self.begun = False  # something has come: what fails from here on cannot be asked for again

    def put(self, piece: Piece) -> None:
        if piece:
            self.begun = True
            self._pieces.put_nowait(piece)

    def end(self) -> None:
        """All of it has come."""
        self._pieces.put_nowait(None)

    def fail(self, error: ProviderError) -> None:
        """No more of it will come, because of `error`."""
        self._pieces.put_nowait(error)

    async def pieces(self, *, first_audio_s: float) -> AsyncGenerator[Piece, None]:
        """Everything until the end; only audio sets the vendor's clock back, so that no chatter keeps it.

        Raises:
            ProviderError: the reader's, or that no audio came within `first_audio_s`, then within each gap.
        """
        deadline = clock.now() + first_audio_s
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    piece = await self._pieces.get()
            except TimeoutError:
                raise ProviderError(self._provider, Failure.TIMEOUT, "no audio in time") from None
            if piece is None:
                return
            if isinstance(piece, ProviderError):
                raise piece
            yield piece
            if not isinstance(piece, Spoken):
                deadline = clock.now() + self._patience.gap_s
