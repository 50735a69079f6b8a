"""Twilio's end of a media socket, against real servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from app.simulator.orders import Fault
from app.simulator.socket import Socket
from tests.simulator.bridge import eventually


class Notes:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.binaries = 0
        self.gone = asyncio.Event()

    def received(self, text: bytes) -> None:
        self.texts.append(text)

    def received_binary(self) -> None:
        self.binaries += 1

    def closed(self) -> None:
        self.gone.set()


Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, close_timeout=0.05) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/media?x=1"


@asynccontextmanager
async def raw(answer: bytes) -> AsyncIterator[str]:
    """A server that answers everybody the same bytes and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)  # a request, or the beginning of TLS
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"


async def opened(url: str, headers: dict[str, str] | None = None) -> tuple[Socket, Notes]:
    socket, notes = Socket(url, headers or {}), Notes()
    await socket.open(notes, within_s=5)
    return socket, notes


async def test_the_handshake_has_twilios_headers_and_no_others() -> None:
    met: dict[str, str] = {}

    async def look(connection: ServerConnection) -> None:
        assert connection.request is not None
        met.update({name.lower(): value for name, value in connection.request.headers.raw_items()})
        met["path"] = connection.request.path

    async with server(look) as url:
        _, notes = await opened(url, {"X-Twilio-Signature": "abc="})
        await notes.gone.wait()

    assert met.pop("sec-websocket-key")
    assert met.pop("host").startswith("127.0.0.1:")
    assert met == {
        "path": "/media?x=1",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
        "user-agent": "Twilio.TmeWs/1.0",
        "x-twilio-signature": "abc=",
    }


async def test_messages_go_both_ways_whole_though_sent_in_fragments() -> None:
    async def echo(connection: ServerConnection) -> None:
        async for text in connection:
            assert isinstance(text, str)
            await connection.send(iter([text[:2], text[2:]]))
            await connection.send(b"binary")
            return

    async with server(echo) as url:
        socket, notes = await opened(url)
        socket.send(b"hello")
        await notes.gone.wait()

    assert notes.texts == [b"hello"]
    assert notes.binaries == 1


async def test_a_close_of_the_bridge_is_told_with_code_and_reason() -> None:
    async def close(connection: ServerConnection) -> None:
        await connection.close(1008, "server at capacity")

    async with server(close) as url:
        socket, notes = await opened(url)
        await notes.gone.wait()

    assert (socket.close_code, socket.close_reason) == (1008, "server at capacity")
    assert not socket.is_open


async def test_our_own_close_is_answered_and_then_nothing_is_sent() -> None:
    codes: list[int | None] = []

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with server(wait) as url:
        socket, _ = await opened(url)
        assert socket.is_open
        socket.close(1000)
        socket.send(b"too late")
        socket.close(1000)
        await socket.wait_closed()

    assert codes == [1000]
    assert socket.close_code == 1000


async def test_a_reset_reaches_the_bridge_as_a_broken_connection() -> None:
    codes: list[int | None] = []

    async def wait(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with server(wait) as url:
        socket, _ = await opened(url)
        socket.reset()
        await socket.wait_closed()

    assert codes == [1006]
    assert socket.close_code == 1006


async def test_while_held_nothing_is_read() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("while held")
        await connection.recv()
        await connection.send("later")
        await connection.wait_closed()

    async with server(talk) as url:
        socket, notes = await opened(url)
        socket.hold()
        socket.send(b"go")
        for _ in range(20):
            await asyncio.sleep(0.001)
        held = list(notes.texts)
        socket.release()
        socket.send(b"go on")
        await eventually(lambda: len(notes.texts) == 2)
        socket.abort()

    assert held == []
    assert notes.texts == [b"while held", b"later"]


async def test_a_bridge_that_does_not_answer_the_handshake_is_31901() -> None:
    release = asyncio.Event()

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(deaf, "127.0.0.1", 0) as listening:
        url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        with pytest.raises(Fault, match="31901"):
            await Socket(url, {}).open(Notes(), within_s=0.05)
        release.set()


async def test_a_bridge_that_does_not_read_makes_congestion_visible() -> None:
    async def sleepy(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with server(sleepy) as url:
        socket, _ = await opened(url)
        before = socket.is_congested
        for _ in range(200):
            socket.send(b"x" * 65_536)
        after = socket.is_congested
        socket.abort()

    assert (before, after) == (False, True)


@pytest.mark.parametrize("url", ["http://localhost/", "nonsense", "ws://"])
def test_what_is_no_websocket_url_is_31923(url: str) -> None:
    async def make() -> None:
        Socket(url, {})

    with pytest.raises(Fault, match="31923"):
        asyncio.run(make())


async def test_nobody_listening_is_31902(unused_tcp_port: int) -> None:
    with pytest.raises(Fault, match="31902"):
        await opened(f"ws://127.0.0.1:{unused_tcp_port}/")


async def test_a_name_that_nobody_has_is_31904() -> None:
    with pytest.raises(Fault, match="31904"):
        await opened("ws://nowhere.invalid/")


async def test_plain_text_where_tls_was_meant_is_31910() -> None:
    async with raw(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        with pytest.raises(Fault, match="31910"):
            await opened(url.replace("ws://", "wss://"))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "answer 403"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "answer 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "answer 200"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "wrong headers"),
        (b"SMTP ready\r\n\r\n", "closed"),
        (b"", "closed"),
    ],
)
async def test_every_answer_but_a_right_101_is_31920(answer: bytes, told: str) -> None:
    async with raw(answer) as url:
        with pytest.raises(Fault, match="31920") as met:
            await opened(url)

    assert told in str(met.value)
