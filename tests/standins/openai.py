"""A stand-in for an OpenAI-compatible chat endpoint on loopback: streamed over real HTTP, with real errors.

    async with OpenAiStandin() as vendor:
        vendor.replies += [Reply("Let me see.", calls=(("look_up", '{"table": "tour", "entry": ""}'),))]
        ... base_url=vendor.url, api_key=KEY ...

As a process, where a model called `fault-...` misbehaves by its name:

    python -m tests.standins.openai --port 9200 --delay-ms 300
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.standins.standin import Standin
from tests.standins.wire import Request, Wire

KEY = "sk-standin-0123456789abcdef0123456789"
MODEL = "standin"


def error_body(message: str, *, kind: str, code: str | None) -> dict[str, object]:
    """The body of an error, in the vendor's shape."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@dataclass(frozen=True)
class Reply:
    """One answer; the default does nothing wrong."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()  # name and arguments of each
    thoughts: str = ""  # sent as `reasoning_content` before the text
    size: int = 4  # characters of a piece of text, thoughts or arguments
    delay_s: float = 0.0  # before the first piece
    pause_s: float = 0.0  # between pieces
    refuse: tuple[int, object] | None = None  # status and body, instead of a stream
    refuse_headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False  # never answer at all
    stall_after: int | None = None  # pieces until nothing more comes
    cut_after: int | None = None  # pieces until the connection is cut
    garbage_after: int | None = None  # pieces until an event that is no JSON
    error_after: int | None = None  # pieces until an error in the stream
    endless: bool = False  # the text again and again until the client goes
    finish: str | None = ""  # reason; empty: the right one; None: never told
    one_index: bool = False  # every call is number 0, as some servers count
    no_ids: bool = False  # calls without ids


OVERLOADED = error_body("The server is overloaded.", kind="server_error", code=None)
NAMED = {
    "fault-hang": Reply(hang=True),
    "fault-stall": Reply("This will not be", stall_after=2),
    "fault-dead": Reply("Never.", stall_after=0),
    "fault-cut": Reply("This sentence is complete. This one is not complete.", cut_after=9),
    "fault-garbage": Reply("This sentence is complete. And then.", garbage_after=8),
    "fault-error": Reply("This sentence is complete. And then.", error_after=8),
    "fault-500": Reply(refuse=(500, OVERLOADED)),
    "fault-429": Reply(
        refuse=(429, error_body("Rate limit reached", kind="requests", code="rate_limit_exceeded")),
        refuse_headers={"retry-after": "20"},
    ),
    "fault-endless": Reply("And so on it goes. ", endless=True, pause_s=0.02),
}


@dataclass
class Seen:
    """One request for a completion, as the stand-in saw it."""

    request: Request
    body: dict[str, Any]
    pieces: int = 0  # sent
    finished: bool = False  # all was sent, and the client was there to take it
    gone: asyncio.Event = field(default_factory=asyncio.Event)  # the client closed before the end

    @property
    def messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.body["messages"]
        return messages

    @property
    def said(self) -> list[tuple[str, str]]:
        """The messages after the first, as role and text."""
        return [(message["role"], message["content"]) for message in self.messages[1:]]


class OpenAiStandin(Standin):
    """The server: `replies` are given first, each once, then what the model's name says, else an echo."""

    def __init__(self, *, port: int = 0, delay_s: float = 0.0, keys: tuple[str, ...] = (KEY,)) -> None:
        super().__init__(port=port)
        self.replies: list[Reply] = []
        self.models: dict[str, Reply] = dict(NAMED)
        self.seen: list[Seen] = []
        self.keys = keys
        self._delay_s = delay_s

    @property
    def url(self) -> str:
        return f"{super().url}/v1"

    async def route(self, wire: Wire, request: Request) -> bool:
        """Answer one request; False when the connection is used up."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.keys and key not in self.keys:
            message = f"Incorrect API key provided: {key[:11]}****{key[-4:]}."
            await wire.answer(401, error_body(message, kind="invalid_request_error", code="invalid_api_key"))
        elif request.method == "GET" and request.path == "/v1/models":
            await wire.answer(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        elif request.method == "POST" and request.path == "/v1/chat/completions":
            return await self._complete(wire, request)
        else:
            await wire.answer(404, error_body("Not found", kind="invalid_request_error", code=None))
        return True

    async def _complete(self, wire: Wire, request: Request) -> bool:
        body = request.json()
        if not isinstance(body, dict) or (fault := _fault(body)):
            message = fault if isinstance(body, dict) else "We could not parse the JSON body of your request."
            await wire.answer(400, error_body(message, kind="invalid_request_error", code=None))
            return True
        seen = Seen(request, body)
        self.seen.append(seen)
        reply = self._reply(body)
        if reply.hang:
            return await _until_gone(wire, seen)
        if reply.refuse is not None:
            await wire.answer(*reply.refuse, reply.refuse_headers)
            return True
        try:
            return await self._stream(wire, reply, seen)
        except ConnectionError:
            seen.gone.set()
            return False

    def _reply(self, body: dict[str, Any]) -> Reply:
        if self.replies:
            return self.replies.pop(0)
        last = str(body["messages"][-1]["content"])
        return self.models.get(body["model"]) or Reply(f"You said: {last}. What else would you like to know?")

    async def _stream(self, wire: Wire, reply: Reply, seen: Seen) -> bool:
        await wire.begin_chunked({"content-type": "text/event-stream; charset=utf-8"})
        await wire.chunk(_event(_chunk(seen, {"role": "assistant", "content": ""})))
        await asyncio.sleep(reply.delay_s or self._delay_s)
        for delta in _deltas(reply):
            if reply.stall_after == seen.pieces:
                return await _until_gone(wire, seen)
            if await _broken(wire, reply, seen):
                return False
            await wire.chunk(_event(_chunk(seen, delta)))
            seen.pieces += 1
            # A pause lets each piece be seen by itself.
            await asyncio.sleep(reply.pause_s)
        if reply.finish is not None:
            reason = reply.finish or ("tool_calls" if reply.calls else "stop")
            await wire.chunk(_event(_chunk(seen, {}, reason)))
        await wire.chunk(b": some servers send comments\n\ndata: [DONE]\n\n")
        await wire.end_chunked()
        seen.finished = True
        return True


async def _until_gone(wire: Wire, seen: Seen) -> bool:
    await wire.gone()
    seen.gone.set()
    return False


async def _broken(wire: Wire, reply: Reply, seen: Seen) -> bool:
    """Whether it is time to do harm; true when the connection is used up."""
    if reply.cut_after == seen.pieces:
        await asyncio.sleep(0.02)  # so that what went before has arrived
        wire.cut()
        return True
    if reply.garbage_after == seen.pieces:
        await wire.chunk(b'data: {"id": "chatcmpl-1", "choi\n\n')
    elif reply.error_after == seen.pieces:
        await wire.chunk(_event(OVERLOADED))
    else:
        return False
    await wire.end_chunked()
    return True


def _fault(body: dict[str, Any]) -> str:
    """What the vendor would refuse in a request; empty when it is good."""
    messages = body.get("messages")
    if not isinstance(body.get("model"), str) or not isinstance(messages, list) or not messages:
        return "you must provide a model and messages"
    if body.get("stream") is not True:
        return "this stand-in streams only"
    if "tools" not in body and "tool_choice" in body:
        return "'tool_choice' is only allowed when 'tools' are specified."
    if any(not re.fullmatch(r"[\w-]{1,64}", tool["function"]["name"]) for tool in body.get("tools", ())):
        return "Invalid 'tools[0].function.name'"
    return _unanswered(messages)


def _unanswered(messages: list[dict[str, Any]]) -> str:
    """Each call must be answered by the messages that follow it, and nothing else answered."""
    due: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in due:
                return (
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                )
            due.discard(message["tool_call_id"])
        elif due:
            break
        else:
            due = {call["id"] for call in message.get("tool_calls", ())}
    return f"tool_call_ids did not have response messages: {', '.join(sorted(due))}" if due else ""


def _deltas(reply: Reply) -> Iterator[Mapping[str, object]]:
    """Everything of an answer in small pieces, in the order in which models send it."""
    yield from ({"reasoning_content": piece} for piece in _pieces(reply.thoughts, reply.size))
    yield from ({"content": piece} for piece in _pieces(reply.text, reply.size))
    while reply.endless:
        yield from ({"content": piece} for piece in _pieces(reply.text, reply.size))
    for number, (name, arguments) in enumerate(reply.calls):
        index = 0 if reply.one_index else number
        first: dict[str, object] = {"index": index, "function": {"name": name, "arguments": ""}}
        if not reply.no_ids:
            first |= {"id": f"call_{number}_{name}", "type": "function"}
        yield {"tool_calls": [first]}
        for piece in _pieces(arguments, reply.size):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def _chunk(seen: Seen, delta: Mapping[str, object], finish: str | None = None) -> dict[str, object]:
    return {
        "id": "chatcmpl-standin",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": seen.body["model"],
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _event(body: dict[str, object]) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


async def _main(arguments: argparse.Namespace) -> None:
    keys = tuple(arguments.key or [KEY])
    async with OpenAiStandin(port=arguments.port, delay_s=arguments.delay_ms / 1000, keys=keys) as vendor:
        sys.stdout.write(f"openai stand-in on {vendor.url}, key {keys[0]}, model {MODEL}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="stand-in for an OpenAI-compatible endpoint on loopback")
    parser.add_argument("--port", type=int, default=9200)
    parser.add_argument("--delay-ms", type=int, default=300, help="before the first token")
    parser.add_argument("--key", action="append", help="an accepted key")
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args()))
