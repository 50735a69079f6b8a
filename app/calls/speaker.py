"""What is to be said on one call, in order: sentences through a voice into the player."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from app.calls.player import Player
from app.conversation.port import Fact, SpeechFailed
from app.errors import ProviderError
from app.speech.chain import Chain
from app.speech.sentences import split_sentences

AHEAD_MS = 10_000  # media ms; the next sentence is made while less than this waits to be played


@dataclass(frozen=True, slots=True)
class Sentence:
    """The unit given to synthesis."""

    text: str


@dataclass(frozen=True, slots=True)
class Farewell:
    """When everything before it has been heard, the call is over."""


class Speaker:
    """One call's voice: `say` queues, `run` speaks; a sentence that no voice can say becomes a fact."""

    def __init__(self, voice: Chain, player: Player, *, tell: Callable[[Fact], None]) -> None:
        self._voice = voice
        self._player = player
        self._tell = tell
        self._waiting: asyncio.Queue[Sentence | Farewell] = asyncio.Queue()

    def say(self, text: str) -> None:
        for sentence in split_sentences(text):
            self._waiting.put_nowait(Sentence(sentence))

    def say_goodbye(self) -> None:
        self._waiting.put_nowait(Farewell())

    async def run(self) -> None:
        """Speak until everything before a farewell has been heard."""
        while True:
            due = await self._waiting.get()
            if isinstance(due, Farewell):
                await self._player.heard_all()
                return
            await self._speak(due.text)
            if self._waiting.empty():
                self._player.end()

    async def _speak(self, text: str) -> None:
        try:
            async with aclosing(self._voice.render(text)) as frames:
                async for mulaw in frames:
                    await self._player.put(mulaw)
        except ProviderError:
            # The chain has logged what each voice did; here it only matters that the caller lacks words.
            self._player.end()
            self._tell(SpeechFailed(text))
            return
        self._player.mark(text)
