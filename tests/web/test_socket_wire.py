"""What uvicorn leaves open on a WebSocket: how fast it is read, and when it is gone."""

import asyncio

import pytest
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.web import flow, socket_wire, stalled
from tests.standins.house import House, house
from tests.standins.raw_socket import CLOSE, PING, PONG, TEXT, RawSocket, connected, frame, upgrade

KIB = 1024
PATH = "/listens"


class Listener:
    """An application that takes every message at once, or none at all, or says more than anybody reads."""

    def __init__(self) -> None:
        self.heard = 0
        self.over = asyncio.Event()

    async def listen(self, websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.receive_text()
                self.heard += 1
        except WebSocketDisconnect:
            self.over.set()

    async def speak(self, websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text("x" * 60 * KIB)
        except WebSocketDisconnect:
            self.over.set()

    async def hesitate(self, websocket: WebSocket) -> None:
        await asyncio.sleep(0.3)
        await self.listen(websocket)

    async def think(self, websocket: WebSocket) -> None:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass

    def routes(self) -> list[WebSocketRoute]:
        return [
            WebSocketRoute("/listens", self.listen),
            WebSocketRoute("/speaks", self.speak),
            WebSocketRoute("/hesitates", self.hesitate),
            WebSocketRoute("/thinks", self.think),
        ]


async def _shaken(socket: RawSocket, path: str) -> RawSocket:
    await socket.send(upgrade({}).replace(b"/media-stream", path.encode()))
    assert await socket.status() == 101
    return socket


async def _gone(there: House) -> None:
    async with asyncio.timeout(15):
        while there.connections():  # noqa: ASYNC110 - uvicorn does not signal it
            await asyncio.sleep(0.01)


async def test_threat_4_who_is_too_fast_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "MESSAGES_PER_S", 1e-6)
    monkeypatch.setattr(flow, "BURST_MESSAGES", 10.0)
    listener = Listener()
    async with house(extra=listener.routes()) as there, connected(there.url) as socket:
        await _shaken(socket, "/listens")
        socket.push(frame(TEXT, b"x" * 2 * KIB) * 500)
        await asyncio.sleep(0.5)

        assert listener.heard == 10


async def test_who_was_too_fast_is_heard_whole_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "MESSAGES_PER_S", 200.0)
    monkeypatch.setattr(flow, "BURST_MESSAGES", 10.0)
    listener = Listener()
    async with house(extra=listener.routes()) as there, connected(there.url) as socket:
        await _shaken(socket, "/listens")
        await socket.send(frame(TEXT, b"x") * 100 + frame(PING, b"done"))

        assert await socket.next_frame() == (PONG, b"done")
        assert listener.heard >= 99  # the last may still be on its way to the application


async def test_threat_4_control_frames_count_as_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flow, "MESSAGES_PER_S", 1e-6)
    monkeypatch.setattr(flow, "BURST_MESSAGES", 10.0)
    listener = Listener()
    async with house(extra=listener.routes()) as there, connected(there.url) as socket:
        await _shaken(socket, "/listens")
        await socket.send(frame(PING, bytes(120)) * 500)
        pongs = 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                while await socket.next_frame():
                    pongs += 1

    assert 10 <= pongs <= 10 + socket_wire.PIECE // 120


async def test_threat_4_many_large_messages_wait_for_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "BYTES_PER_S", 1e-6)
    monkeypatch.setattr(flow, "BURST_BYTES", 100.0 * KIB)
    listener = Listener()
    async with house(extra=listener.routes()) as there, connected(there.url) as socket:
        await _shaken(socket, "/listens")
        socket.push(frame(TEXT, b"x" * 50 * KIB) * 20)
        await asyncio.sleep(0.5)

    assert 1 <= listener.heard <= 2


async def test_a_handshake_that_is_not_answered_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_wire, "HANDSHAKE_WITHIN_S", 0.2)
    async with house(extra=Listener().routes()) as there, connected(there.url) as socket:
        await socket.send(upgrade({}).replace(b"/media-stream", b"/thinks"))

        assert await socket.status() == 0
        await _gone(there)


async def test_46_who_takes_nothing_is_cut_and_the_application_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalled, "TAKES_WITHIN_S", 0.3)
    listener = Listener()
    async with house(extra=listener.routes()) as there, connected(there.url) as socket:
        await _shaken(socket, "/speaks")
        socket.pause()
        async with asyncio.timeout(15):
            await listener.over.wait()
        await _gone(there)


async def test_who_says_goodbye_and_takes_nothing_more_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_wire, "FAREWELL_S", 0.2)
    listener = Listener()
    async with house(extra=listener.routes()) as there, connected(there.url) as socket:
        await _shaken(socket, "/speaks")
        socket.pause()
        await asyncio.sleep(0.3)  # until no buffer between us has room
        await socket.send(frame(CLOSE, b"\x03\xe8"))
        await _gone(there)

    assert listener.over.is_set()


async def test_what_comes_before_our_answer_waits_for_it() -> None:
    async with house(extra=Listener().routes()) as there, connected(there.url) as socket:
        await socket.send(upgrade({}).replace(b"/media-stream", b"/hesitates"))
        await asyncio.sleep(0.1)
        await socket.send(frame(PING, b"early") + frame(CLOSE, b"\x03\xe8"))

        assert await socket.status() == 101
        assert await socket.next_frame() == (PONG, b"early")
        assert await socket.close_code() == 1000


async def test_a_ping_that_is_never_answered_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_wire, "FAREWELL_S", 0.1)
    listener = Listener()
    async with house(extra=listener.routes(), ping_s=0.2) as there, connected(there.url) as socket:
        await _shaken(socket, "/listens")
        async with asyncio.timeout(15):
            await listener.over.wait()
        await _gone(there)
