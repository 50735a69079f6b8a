"""A bridge in miniature on loopback: real HTTP, a real WebSocket, our side of the protocol, one script."""

import asyncio
import contextlib
import json
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.simulator.messages import SILENT_PAYLOAD
from app.simulator.plan import CallPlan, Patience, Quirks

LOUD = bytes([0x90, 0x10] * 80)  # 20 ms of a 4 kHz square wave, -5 dBFS
BRIEF = Patience(longest_s=5, quiet_before_turn_ms=100, quiet_before_end_ms=100, reply_within_ms=1000)
HASTY = Quirks(say_ms_per_character=0, mark_latency_ms=0)
CONNECT = (
    '<Response><Connect action="/voice/after">'
    '<Stream url="ws://{host}/media" statusCallback="/stream/status">'
    '<Parameter name="token" value="t&amp;1"/></Stream></Connect></Response>'
)


class Peer:
    """The bridge's end of one media socket, for scripts; collects all that the caller sends."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.stream_sid = ""
        self.start: dict[str, Any] = {}
        self.received: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._news = asyncio.Condition()

    async def play(self, frames: int, mulaw: bytes = LOUD) -> None:
        payload = b64encode(mulaw * frames).decode()
        await self.send({"event": "media", "streamSid": self.stream_sid, "media": {"payload": payload}})

    async def mark(self, name: str) -> None:
        await self.send({"event": "mark", "streamSid": self.stream_sid, "mark": {"name": name}})

    async def clear(self) -> None:
        await self.send({"event": "clear", "streamSid": self.stream_sid})

    async def send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the caller has gone already
            await self.websocket.send_text(json.dumps(message))

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.received if message["event"] == event]

    async def until(self, event: str, count: int = 1) -> None:
        """Wait for the `count`th message of a kind."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.of(event)) >= count or self.close_code is not None)

    async def until_voice(self) -> None:
        """Wait until the caller has said something."""
        silence = SILENT_PAYLOAD.decode()
        async with self._news:
            await self._news.wait_for(
                lambda: (
                    any(media["media"]["payload"] != silence for media in self.of("media"))
                    or self.close_code is not None
                )
            )

    async def listen(self) -> None:
        """Collect until the socket closes."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                message = await self.websocket.receive()
                async with self._news:
                    if message["type"] == "websocket.disconnect":
                        self.close_code = message.get("code", 1005)
                        self._news.notify_all()
                        return
                    self.received.append(json.loads(message["text"]))
                    self._news.notify_all()


Script = Callable[[Peer], Awaitable[None]]


async def silent(peer: Peer) -> None:
    """Says nothing and waits for the caller to go."""


async def greet(peer: Peer) -> None:
    """100 ms of sound and its mark."""
    await peer.play(5)
    await peer.mark("greeting")


@dataclass
class Bridge:
    """What the stand-in answers, and what it was asked."""

    script: Script = silent
    answers: dict[str, Response | list[Response]] = field(default_factory=dict)
    handshake: int = 101
    url: str = ""
    webhooks: list[tuple[str, dict[str, str], dict[str, str]]] = field(
        default_factory=list
    )  # path, form, headers
    handshakes: list[dict[str, str]] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    hang_up_after_script: bool = False
    breaks_after_script: bool = (
        False  # once a mark is back, the connections are reset, as by a killed process
    )
    break_all: Callable[[], None] = lambda: None

    def plan(self, **changes: Any) -> CallPlan:
        """A quick call to this bridge."""
        plan = CallPlan(url=f"{self.url}/voice", patience=BRIEF, quirks=HASTY)
        return replace(plan, **changes)

    def asked(self, path: str) -> list[dict[str, str]]:
        return [form for asked, form, _ in self.webhooks if asked == path]

    async def peer_until(self, event: str) -> None:
        """Wait until the first caller sent a message of this kind, or went."""
        await eventually(lambda: bool(self.peers))
        await self.peers[0].until(event)

    async def webhook(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        path = request.url.path
        self.webhooks.append((path, form | dict(request.query_params), dict(request.headers)))
        answer = self.answers.get(path)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if answer is not None:
            return answer
        if path.endswith("/status"):
            return Response(status_code=204)
        return twiml(CONNECT.format(host=request.headers["host"]) if path == "/voice" else "<Response/>")

    async def media(self, websocket: WebSocket) -> None:
        self.handshakes.append(dict(websocket.headers))
        if self.handshake != 101:
            await websocket.close()
            return
        await websocket.accept()
        peer = Peer(websocket)
        self.peers.append(peer)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(peer.listen())
            await peer.until("start")
            if peer.of("start"):
                peer.start = peer.of("start")[0]
                peer.stream_sid = peer.start["streamSid"]
                await self.script(peer)
            if self.breaks_after_script:
                await peer.until("mark")
                self.break_all()
            if self.hang_up_after_script:
                await websocket.close(1000, "goodbye")
                listening.cancel()


async def eventually(check: Callable[[], bool]) -> None:
    """Wait for what arrives over a socket and has no event of its own."""
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def twiml(document: str, content_type: str = "text/xml") -> Response:
    return Response(document, headers={"content-type": content_type} if content_type else {})


@contextlib.asynccontextmanager
async def serving(script: Script = silent, **options: Any) -> AsyncIterator[Bridge]:
    """A bridge on a free port of loopback."""
    bridge = Bridge(script, **options)
    routes = [
        WebSocketRoute("/media", bridge.media),
        Route("/{path:path}", bridge.webhook, methods=["GET", "POST"]),
    ]
    config = uvicorn.Config(
        Starlette(routes=routes),
        port=0,
        log_config=None,
        lifespan="off",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        await server.up.wait()
        bridge.break_all = server.break_all
        bridge.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield bridge
        finally:
            server.should_exit = True


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    def break_all(self) -> None:
        """Reset every connection."""
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()
