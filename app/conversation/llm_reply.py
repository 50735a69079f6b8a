"""One reply of a model on its way to the caller: what was said of it, asked for and waited for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from app.conversation.llm_port import Budget, Message, Role, ToolCall
from app.conversation.port import Say
from app.conversation.speakable import Unwrapped, speakable

MakeCutter = Callable[[], "Cutter"]


class Cutter(Protocol):
    """Cuts text that streams in into sentences, each as soon as it is certain."""

    def feed(self, text: str) -> list[str]: ...
    def finish(self) -> list[str]: ...


@dataclass(slots=True)
class Reply:
    """What is known of one reply, over all its rounds with tools."""

    messages: list[Message]
    budget: Budget
    longest: int
    """Characters that are said of it."""
    began: float
    """Monotonic seconds; those below too."""
    first_token: float | None = None
    first_sentence: float | None = None
    sentences: int = 0
    characters: int = 0
    rounds: int = 0
    tools: int = 0
    last_word: bool = False
    """The floor is handed on, or the call ends: nothing is listened for."""
    cut: bool = False
    """It was longer than a caller is made to listen, or than the model could write."""

    def token_came(self, now: float) -> None:
        if self.first_token is None:
            self.first_token = now

    def say(self, sentence: str, now: float) -> Say | None:
        """The order for one sentence of the model's, if anything of it can be said and there is room."""
        text = "" if self.full else speakable(sentence)
        if not text:
            return None
        if self.first_sentence is None:
            self.first_sentence = now
        self.sentences += 1
        self.characters += len(text)
        return Say(text)

    @property
    def full(self) -> bool:
        return self.characters >= self.longest

    def figures(self, now: float) -> dict[str, object]:
        """For the log; milliseconds from the fact that is answered."""
        return {
            "first_token_ms": self._ms(self.first_token),
            "first_sentence_ms": self._ms(self.first_sentence),
            "total_ms": self._ms(now),
            "sentences": self.sentences,
            "characters": self.characters,
            "rounds": self.rounds,
            "tools": self.tools,
            "cut": self.cut,
        }

    def _ms(self, moment: float | None) -> int | None:
        return None if moment is None else round((moment - self.began) * 1000)


@dataclass(slots=True)
class Round:
    """One request to the model: its text becomes sentences, its calls are collected."""

    cutter: Cutter
    calls: tuple[ToolCall, ...] = ()
    said: list[str] = field(default_factory=list)
    _unwrapped: Unwrapped = field(default_factory=Unwrapped)

    def begin_again(self, cutter: Cutter) -> None:
        """Nothing was said yet: forget what came."""
        self.cutter, self.calls, self._unwrapped = cutter, (), Unwrapped()

    def feed(self, text: str) -> list[str]:
        return self.cutter.feed(self._unwrapped.feed(text))

    def finish(self, *, complete: bool) -> list[str]:
        """What is left; half a sentence is dropped, unless it is all there is."""
        rest = self.cutter.finish()
        return rest if complete or not self.said else []

    def message(self) -> Message:
        """What the model said and called, as it is told to it in the next round."""
        return Message(Role.BRIDGE, " ".join(self.said), self.calls)
