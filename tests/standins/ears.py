"""A scripted recogniser: a real provider of the hearing port that understands what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from app.errors import ProviderError
from app.hearing.port import OnPosition, Transcript


class ScriptedListener:
    """One session: the n-th utterance is understood as the n-th text, `delay_s` after its end."""

    def __init__(self, texts: Sequence[str], delay_s: float, failure: ProviderError | None) -> None:
        self.heard: list[bytes] = []
        self.cancelled = 0
        self._texts = list(texts)
        self._delay_s = delay_s
        self._failure = failure
        self._out: asyncio.Queue[Transcript] = asyncio.Queue()

    def begin_utterance(self) -> int:
        self.heard.append(b"")
        return len(self.heard)

    def hear(self, mulaw: bytes) -> None:
        self.heard[-1] += mulaw

    def end_utterance(self) -> None:
        number = len(self.heard)
        text = self._texts[number - 1] if number <= len(self._texts) else ""
        loop = asyncio.get_running_loop()
        loop.call_later(self._delay_s, self._out.put_nowait, Transcript(text, True, number))

    def cancel_utterance(self) -> None:
        self.cancelled += 1
        self.heard.pop()

    async def transcripts(self) -> AsyncIterator[Transcript]:
        if self._failure is not None:
            raise self._failure
        while True:
            yield await self._out.get()


class ScriptedEars:
    """The provider; `sessions` are the listeners it gave, in order. `line` is told to each that comes."""

    name = "scripted"

    def __init__(self, *texts: str, delay_s: float = 0.1, failure: ProviderError | None = None) -> None:
        self.sessions: list[ScriptedListener] = []
        self.open = 0
        self.line: Sequence[int] = ()  # places in line that each caller passes through
        self._texts = texts
        self._delay_s = delay_s
        self._failure = failure

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    @asynccontextmanager
    async def listen(
        self, phrases: Sequence[str] = (), *, on_position: OnPosition | None = None
    ) -> AsyncIterator[ScriptedListener]:
        if on_position is not None:
            for position in self.line:
                on_position(position)
        listener = ScriptedListener(self._texts, self._delay_s, self._failure)
        self.sessions.append(listener)
        self.open += 1
        try:
            yield listener
        finally:
            self.open -= 1

    async def ping(self) -> None:
        return None
