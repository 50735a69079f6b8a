"""What is to be said on one call, in order: sentences through a voice into the player."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from app import clock
from app.calls.player import Player
from app.capacity.port import Rank
from app.conversation.port import SpeechFailed
from app.errors import ProviderError
from app.log import log
from app.playout.marks import Line
from app.speech.chain import Chain
from app.speech.sentences import split_sentences

AHEAD_MS = 10_000  # media ms; the next sentence is made while less than this waits to be played
PIECE = 160 * 50  # bytes of a prompt that are put at once: a second


@dataclass(frozen=True, slots=True)
class Sentence:
    """The unit given to synthesis; `prompt` is ready audio instead, mu-law."""

    line: Line
    prompt: bytes = b""
    rank: Rank = Rank.TURN


@dataclass(frozen=True, slots=True)
class Then:
    """When everything before it has been heard: do this."""

    act: Callable[[], None]


class Speaker:
    """One call's voice: `say` queues, `run` speaks; a sentence that no voice can say is told as a fact."""

    def __init__(
        self, voice: Chain, player: Player, *, tell: Callable[[SpeechFailed], None], call: str = ""
    ) -> None:
        self.rank = Rank.GREETING
        """Of what is ordered from now on."""
        self._voice = voice
        self._call = call
        self._player = player
        self._tell = tell
        self._waiting: deque[Sentence | Then] = deque()
        self._bell = asyncio.Event()
        self._line: Line | None = None  # taken, and nothing of it has come yet
        self._doing: asyncio.Timeout | None = None  # the scope of what is being said or waited for
        self._interruptions = 0

    def say(self, text: str, *, interruptible: bool = True, is_reply: bool = True) -> None:
        for sentence in split_sentences(text):
            self._put(Sentence(Line(sentence, interruptible, is_reply), rank=self.rank))

    def fill(self, text: str) -> None:
        """The reply is late: say this at once, ahead of what is being made, if it is ready."""
        if self._player.is_speaking:
            return
        if (mulaw := self._voice.ready(text)) is not None:
            self._player.interject(Line(text, is_reply=False), mulaw)
        elif self._doing is None:
            self.say(text, is_reply=False)

    def play(self, label: str, mulaw: bytes, *, interruptible: bool = True) -> None:
        """Say ready frames; `label` stands for them in the records."""
        self._put(Sentence(Line(label, interruptible, is_text=False), mulaw))

    def then(self, act: Callable[[], None]) -> None:
        """Do something when all that was ordered before has been heard."""
        self._put(Then(act))

    def unheard(self) -> list[Line]:
        """What was ordered and is not known to have been heard, in order: on its way, being made, waiting."""
        lines = [*self._player.marks.unheard(), *([self._line] if self._line is not None else [])]
        return lines + [due.line for due in self._waiting if isinstance(due, Sentence)]

    def drop(self) -> None:
        """Forget what has not been begun."""
        self._waiting.clear()

    def interrupt(self) -> None:
        """Drop what waits and what is being made; the voice is left. The player is silenced by its owner."""
        self.drop()
        self._interruptions += 1
        if self._doing is not None:
            self._doing.reschedule(clock.now())

    async def run(self) -> None:
        """Speak until the call cancels this."""
        while True:
            due = await self._next()
            interruptions = self._interruptions
            try:
                async with asyncio.timeout(None) as self._doing:
                    await self._do(due, interruptions)
            except TimeoutError:
                continue  # interrupted
            finally:
                self._doing = None

    def _put(self, due: Sentence | Then) -> None:
        self._waiting.append(due)
        self._bell.set()

    async def _next(self) -> Sentence | Then:
        while not self._waiting:
            self._bell.clear()
            await self._bell.wait()
        return self._waiting.popleft()

    async def _do(self, due: Sentence | Then, interruptions: int) -> None:
        if isinstance(due, Then):
            self._player.end()
            await self._player.heard_all()
            if interruptions == self._interruptions:
                due.act()
            return
        self._line = due.line
        try:
            await self._player.wait_until_less_than(AHEAD_MS)
            await self._speak(due, interruptions)
        finally:
            self._line = None

    async def _speak(self, due: Sentence, interruptions: int) -> None:
        begun, failure = False, None
        try:
            async with aclosing(self._frames(due)) as frames:
                async for mulaw in frames:
                    if interruptions != self._interruptions:
                        return
                    if not begun:
                        await self._player.begin(due.line)
                        begun, self._line = True, None
                    await self._player.put(mulaw)
        except ProviderError as error:
            failure = error
        if begun:
            await self._player.finish(due.line)
        if failure is not None:
            await self._failed(due.line, failure, interruptions, begun=begun)

    def _frames(self, due: Sentence) -> AsyncGenerator[bytes, None]:
        return (
            _pieces(due.prompt)
            if due.prompt
            else self._voice.render(due.line.text, rank=due.rank, call=self._call, places=due.line.places)
        )

    async def _failed(self, line: Line, error: ProviderError, interruptions: int, *, begun: bool) -> None:
        """No voice is left; what there was, and the chain's apology behind it, is heard before the end."""
        self._player.end()
        if begun:
            log.warning("speech.cut_short", provider=error.provider, kind=error.kind.value)
            await self._player.heard_all()
        if line.is_reply and interruptions == self._interruptions:
            self.drop()  # nobody could say it either
            self._tell(SpeechFailed(line.text))


async def _pieces(mulaw: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(mulaw), PIECE):
        yield mulaw[start : start + PIECE]
