"""What a conversation asks of a language model, and what comes back piece by piece."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from app.errors import Failure, ProviderError


class Role(StrEnum):
    """Who speaks in a message to the model."""

    SYSTEM = "system"
    CALLER = "user"
    BRIDGE = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model wants done; nothing in it can be trusted."""

    id: str
    name: str
    arguments: str
    """JSON, or what the model takes for it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of what is sent to the model."""

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    """Of a message of ours: what was called after the text."""
    call_id: str = ""
    """Of a tool's message: the call that it answers."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What the model is told of one tool; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the reply, of any size: markup and all."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """The model works, and has nothing to say yet."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last piece; `complete` is false when a limit or a filter of the model's cut the text."""

    calls: tuple[ToolCall, ...] = ()
    complete: bool = True


Piece = Text | Thinking | Finished


class ModelFailed(ProviderError):
    """A model gave no reply, or no more of it.

    Args:
        reason: status and code, free of anybody's words.
        words: the vendor's own text, which may repeat the caller's: for `pii.*` keys only.
        retry_after_s: how long the vendor wants to be left alone; 0 when it did not say.
    """

    def __init__(
        self, provider: str, kind: Failure, reason: str = "", *, words: str = "", retry_after_s: float = 0.0
    ) -> None:
        super().__init__(provider, kind, reason, retry_after_s=retry_after_s)
        self.words = words


@dataclass(slots=True)
class Budget:
    """Seconds that one reply may still wait for the model; a caller who listens costs nothing of it."""

    left_s: float


@dataclass(frozen=True, slots=True)
class LlmLimits:
    """Bounds of the conversation with a model; every value is positive."""

    reply_s: float = 15.0
    """Seconds of waiting for the model in one reply, over all rounds and attempts."""
    attempts: int = 2
    """Of one request, as long as nothing of its text was said."""
    pause_s: tuple[float, float] = (0.15, 0.4)
    """Before another attempt; at random, so that calls that failed together do not come back together."""
    longest_pause_s: float = 1.5
    """What a vendor may ask us to wait; with more a caller is told to ask again."""
    rounds: int = 4
    """Requests in one reply: the last must answer in words."""
    tools_a_reply: int = 6
    tools_a_call: int = 40
    longest_reply: int = 1000
    """Characters; more than a minute, which nobody listens to."""
    history_entries: int = 80
    history_chars: int = 8000
    """About 2000 tokens: half an hour of short turns."""
    failures: int = 3
    """Replies in a row that failed, or that were not understood, until the call is ended."""


class Model(Protocol):
    """A provider of replies; entered once per process (`async with model:`), shared by all calls."""

    name: str

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], budget: Budget, *, may_call: bool = True
    ) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        """Ask for one reply; leaving the context ends the model's work and frees the connection at once.

        Args:
            may_call: false when the model must answer in words now.

        Raises:
            ModelFailed: on entering and from the pieces.
        """
        ...

    async def ping(self) -> None:
        """Try the address and the key at no cost.

        Raises:
            ModelFailed: one of them is refused.
        """
        ...
