"""Transcripts on their way to a call that may read slowly."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from app.errors import ProviderError
from app.hearing.port import Transcript

MOST = 64  # utterances that nobody has read about; nobody reads any more


class Outbox:
    """In order; an interim transcript gives way to a newer one of its utterance."""

    def __init__(self) -> None:
        self._waiting: deque[Transcript] = deque(maxlen=MOST)
        self._news = asyncio.Event()
        self._closed = False
        self._error: ProviderError | None = None

    def put(self, transcript: Transcript) -> None:
        if (
            self._waiting
            and not self._waiting[-1].final
            and self._waiting[-1].utterance == transcript.utterance
        ):
            self._waiting.pop()
        self._waiting.append(transcript)
        self._news.set()

    def close(self, error: ProviderError | None = None) -> None:
        """Nothing follows; whoever reads meets `error` after the last transcript."""
        self._closed = True
        self._error = self._error or error
        self._news.set()

    async def read(self) -> AsyncIterator[Transcript]:
        """All transcripts until the close; for one reader.

        Raises:
            ProviderError: with which it was closed.
        """
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._error:
                raise self._error
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()
