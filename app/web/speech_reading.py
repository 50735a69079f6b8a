"""A long text said sentence by sentence, ahead of whoever takes the audio, and never far ahead."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from app.capacity.port import Rank
from app.errors import ProviderError
from app.speech.chain import Chain
from app.speech.sentences import LONGEST, SentenceCutter

AT_ONCE = 200  # characters cut in one go: a fraction of a millisecond
NEXT_SENTENCE_BELOW = 10 * 8000  # bytes, 10 s: with more waiting to be taken the next sentence is not begun
# Bytes, 60 s. A sentence that has begun is taken as fast as the vendor makes it, so that a slow taker keeps
# no permit; only beyond this, which no sentence should reach, does the vendor wait.
MOST_WAITING = 60 * 8000


class Reading:
    """One text on its way to being heard: `run` makes the audio, `pieces` gives it."""

    def __init__(self, voice: Chain, text: str) -> None:
        self._voice = voice
        self._text = text
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._over = False
        self._changed = asyncio.Condition()
        self.failure: ProviderError | None = None

    async def run(self) -> None:
        """Say the sentences in order; cancelled, it frees what the vendor holds."""
        try:
            async with aclosing(sentences_of(self._text)) as sentences:
                async for sentence in sentences:
                    await self._wait_below(NEXT_SENTENCE_BELOW)
                    await self._say(sentence)
        except ProviderError as error:
            self.failure = error
        async with self._changed:
            self._over = True
            self._changed.notify_all()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Mu-law as it comes, to the end, or to where `failure` ended it."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._waiting or self._over)
                if not self._waiting:
                    return
                mulaw = self._waiting.popleft()
                self._waiting_bytes -= len(mulaw)
                self._changed.notify_all()
            yield mulaw

    async def _say(self, sentence: str) -> None:
        async with aclosing(self._voice.render(sentence, rank=Rank.BATCH)) as frames:
            async for mulaw in frames:
                async with self._changed:
                    self._waiting.append(mulaw)
                    self._waiting_bytes += len(mulaw)
                    self._changed.notify_all()
                await self._wait_below(MOST_WAITING)

    async def _wait_below(self, most: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting_bytes < most)


async def sentences_of(text: str) -> AsyncGenerator[str, None]:
    """The sentences of a text of any length, cut as they are asked for, without keeping the loop.

    A piece in which nothing can be said, such as a row of dashes, belongs to its neighbour: alone it would be
    text without audio, which is a vendor's failure.
    """
    held = ""
    async for piece in _cut(text):
        if _can_be_said(held) and _can_be_said(piece):
            yield held
            held = piece
        elif _can_be_said(piece) or len(held) + len(piece) <= 2 * LONGEST:
            held = held + piece if len(held) + len(piece) <= 2 * LONGEST else piece
    if held:
        yield held


async def _cut(text: str) -> AsyncIterator[str]:
    cutter = SentenceCutter()
    for start in range(0, len(text), AT_ONCE):
        for piece in cutter.feed(text[start : start + AT_ONCE]):
            yield piece
        await asyncio.sleep(0)
    for piece in cutter.finish():
        yield piece


def _can_be_said(piece: str) -> bool:
    return any(map(str.isalnum, piece))
