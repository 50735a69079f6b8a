"""A language model behind any OpenAI-compatible chat endpoint, by the vendor's own library.

Importing that takes half a second and more: only `main.py` imports this, and only when it is chosen.
Source: https://platform.openai.com/docs/api-reference/chat/streaming
"""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from httpx2 import Limits
from openai import APIError, AsyncOpenAI, AsyncStream, DefaultAsyncHttpx2Client, Timeout
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDeltaToolCall

from app import clock
from app.conversation.llm_errors import NAME, as_failure, garbage
from app.conversation.llm_port import (
    Budget,
    Finished,
    Message,
    ModelFailed,
    Piece,
    Text,
    Thinking,
    Tool,
    ToolCall,
)
from app.errors import Failure

# The library's own pool drops an idle connection after 5 s: each turn of a call would pay for a handshake.
LIMITS = Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=120)
NO_KEY = "none"  # servers on one's own machine want none, the library wants one
MOST_CALLS = 8  # of one reply; more are not collected
LONGEST_ARGUMENTS = 4000  # characters of one call
# Where the many servers put the thoughts of a model that thinks aloud: never said.
THOUGHTS = ("reasoning_content", "reasoning")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for an endpoint, in seconds."""

    connect_s: float = 3.0
    """For the connection alone; one that takes longer comes to nothing."""
    first_token_s: float = 5.0
    """From the request to the first sign of life; the caller hears a filler meanwhile."""
    gap_s: float = 4.0
    """Between two pieces; speech that was ordered covers about as much."""


class OpenAiModel:
    """Replies by `POST {base_url}/chat/completions`, streamed."""

    name = NAME

    def __init__(self, *, base_url: str, api_key: str, model: str, patience: Patience = Patience()) -> None:
        self._model = model
        self._api_key = api_key
        self._patience = patience
        # The read limit only backs up our own, which know the first piece from the others.
        timeout = Timeout(patience.first_token_s + patience.gap_s, connect=patience.connect_s)
        self._openai = AsyncOpenAI(
            api_key=api_key or NO_KEY,
            base_url=base_url,
            max_retries=0,  # a caller is waiting: what is tried again, and when, is the conversation's to say
            timeout=timeout,
            http_client=DefaultAsyncHttpx2Client(limits=LIMITS, timeout=timeout),
        )
        # Read from the environment by the library; they belong to another endpoint than this.
        self._openai.organization = self._openai.project = None
        _ = self._openai.chat.completions  # imported on first use, which would block the loop

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._openai.close()

    @asynccontextmanager
    async def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], budget: Budget, *, may_call: bool = True
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        due = clock.now() + self._patience.first_token_s
        request: dict[str, Any] = {"messages": [_wire(message) for message in messages]}
        if tools:
            request |= {
                "tools": [_declared(tool) for tool in tools],
                "tool_choice": "auto" if may_call else "none",
            }
        async with self._waiting(budget, due):
            stream = await self._openai.chat.completions.create(model=self._model, stream=True, **request)
        async with aclosing(stream), aclosing(self._pieces(stream, budget, due)) as pieces:
            yield pieces

    async def ping(self) -> None:
        async with self._waiting(Budget(self._patience.connect_s + self._patience.first_token_s)):
            await self._openai.models.list()

    async def _pieces(
        self, stream: AsyncStream[ChatCompletionChunk], budget: Budget, due: float
    ) -> AsyncGenerator[Piece, None]:
        calls, complete = _Calls(), None
        while True:
            async with self._waiting(budget, due):
                chunk = await anext(stream, None)
                pieces = list(_read(chunk, calls)) if chunk is not None else [None]
            for piece in pieces:
                match piece:
                    case None if complete is None and calls.met:
                        # A call may have lost its last words: what it asks for cannot be known.
                        raise ModelFailed(NAME, Failure.NETWORK, "ended in the midst of a tool call")
                    case None:
                        yield Finished(calls.collected(), complete is not False)
                        return
                    case Finished():
                        complete = piece.complete
                    case _:
                        yield piece
                        # The time that our reader took for the piece is not the model's.
                        due = clock.now() + self._patience.gap_s

    @asynccontextmanager
    async def _waiting(self, budget: Budget, due: float | None = None) -> AsyncIterator[None]:
        """Wait for the endpoint until `due`, at most as long as the budget allows; errors become ours."""
        began = clock.now()
        deadline = began + budget.left_s if due is None else min(due, began + budget.left_s)
        try:
            async with asyncio.timeout_at(deadline):
                yield
        except TimeoutError as error:
            raise ModelFailed(NAME, Failure.TIMEOUT, "no token in time") from error
        except APIError as error:
            raise as_failure(error, self._api_key) from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise garbage(error) from error  # the library does not check what it parses
        finally:
            budget.left_s -= clock.now() - began


class _Calls:
    """Collects tool calls, whose arguments come in pieces."""

    def __init__(self) -> None:
        self._calls: list[tuple[int, str, str, str]] = []  # index, id, name, arguments

    @property
    def met(self) -> bool:
        return bool(self._calls)

    def collected(self) -> tuple[ToolCall, ...]:
        numbers = itertools.count()
        return tuple(
            ToolCall(id or f"call_{next(numbers)}", name, arguments) for _, id, name, arguments in self._calls
        )

    def add(self, delta: ChoiceDeltaToolCall) -> None:
        name = (delta.function and delta.function.name) or ""
        arguments = (delta.function and delta.function.arguments) or ""
        index, call_id = delta.index or 0, delta.id or ""
        for at in reversed(range(len(self._calls))):
            known, its_id, its_name, so_far = self._calls[at]
            # Some servers give every call the index 0, and tell them apart by their ids only.
            if known == index and (not call_id or not its_id or call_id == its_id):
                whole = (so_far + arguments)[:LONGEST_ARGUMENTS]
                self._calls[at] = (known, its_id or call_id, its_name or name, whole)
                return
        if len(self._calls) < MOST_CALLS:
            self._calls.append((index, call_id, name, arguments[:LONGEST_ARGUMENTS]))


def _read(chunk: ChatCompletionChunk, calls: _Calls) -> Iterator[Piece]:
    """What is new in one chunk; `Finished` here says only how the text ended."""
    choice = next(iter(chunk.choices or ()), None)
    if choice is None:  # of usage, or of a filter's verdict on the question
        return
    if choice.delta:
        yield from _read_delta(choice, calls)
    if choice.finish_reason:
        yield Finished(complete=choice.finish_reason not in ("length", "content_filter"))


def _read_delta(choice: Choice, calls: _Calls) -> Iterator[Piece]:
    delta = choice.delta
    if delta.content:
        yield Text(delta.content[:])  # not a text, and it fails here
    for part in delta.tool_calls or ():
        calls.add(part)
    if delta.tool_calls or any(getattr(delta, name, None) for name in THOUGHTS):
        yield Thinking()


def _wire(message: Message) -> dict[str, object]:
    """One message in the vendor's words."""
    wire: dict[str, object] = {"role": message.role.value, "content": message.text}
    if message.calls:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    if message.call_id:
        wire["tool_call_id"] = message.call_id
    return wire


def _declared(tool: Tool) -> dict[str, object]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    }
