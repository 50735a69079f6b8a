"""What is to be said on one call, in order: sentences through a voice into the player."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from app import clock
from app.calls.player import Player
from app.calls.registry import Ending
from app.conversation.port import Fact, SpeechFailed
from app.errors import ProviderError
from app.log import log
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

    ending: Ending


class Speaker:
    """One call's voice: `say` queues, `run` speaks; a sentence that no voice can say becomes a fact."""

    def __init__(self, voice: Chain, player: Player, *, tell: Callable[[Fact], None]) -> None:
        self._voice = voice
        self._player = player
        self._tell = tell
        self._waiting: asyncio.Queue[Sentence | Farewell] = asyncio.Queue()
        self._making: asyncio.Timeout | None = None  # the scope of the sentence being made
        self._interruptions = 0

    def say(self, text: str) -> None:
        for sentence in split_sentences(text):
            self._waiting.put_nowait(Sentence(sentence))

    def say_goodbye(self) -> None:
        self._waiting.put_nowait(Farewell(Ending.FINISHED))

    def give_up(self) -> None:
        """Drop what has not been begun; the call is over when the rest has been heard."""
        self._drop_waiting()
        self._waiting.put_nowait(Farewell(Ending.SPEECH_FAILED))

    def interrupt(self) -> None:
        """The caller takes the floor: sentences, voice, converter, player and Twilio's buffer are emptied."""
        self._drop_waiting()
        self._interruptions += 1
        if self._making is not None:
            self._making.reschedule(clock.now())
        self._player.clear()

    async def run(self) -> Ending:
        """Speak until everything before a farewell has been heard; gives how that ends the call."""
        while True:
            due = await self._waiting.get()
            if isinstance(due, Farewell):
                await self._player.heard_all()
                return due.ending
            await self._player.wait_until_less_than(AHEAD_MS)
            await self._speak(due.text)
            if self._waiting.empty():
                self._player.end()

    async def _speak(self, text: str) -> None:
        interruptions = self._interruptions
        begun = False
        try:
            async with asyncio.timeout(None) as self._making, aclosing(self._voice.render(text)) as frames:
                async for mulaw in frames:
                    if interruptions != self._interruptions:
                        return
                    await self._player.put(mulaw)
                    begun = True
        except TimeoutError:
            return  # interrupted while waiting for the voice
        except ProviderError as error:
            self._failed(text, error, begun=begun)
            return
        finally:
            self._making = None
        if interruptions == self._interruptions:
            self._player.mark(text)

    def _failed(self, text: str, error: ProviderError, *, begun: bool) -> None:
        self._player.end()
        if begun:
            # What was said stays said; to say the sentence again would double its words.
            log.warning("speech.cut_short", provider=error.provider, kind=error.kind.value)
        else:
            self._tell(SpeechFailed(text))

    def _drop_waiting(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait()
