import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.standins.deepgram_voice import KEY, MODEL, DeepgramVoice
from tests.standins.voice_house import Script, until


@asynccontextmanager
async def connected(house: DeepgramVoice, key: str = KEY, **query: str) -> AsyncIterator[ClientConnection]:
    asked = {"model": MODEL, "encoding": "mulaw", "sample_rate": "8000", **query}
    url = house.url.replace("http", "ws") + "/v1/speak?" + "&".join(f"{k}={v}" for k, v in asked.items())
    async with connect(url, additional_headers={"Authorization": f"Token {key}"}) as socket:
        yield socket


async def send(socket: ClientConnection, *orders: dict[str, str]) -> None:
    for order in orders:
        await socket.send(json.dumps(order))


async def until_told(socket: ClientConnection, kind: str) -> bytes:
    """The audio until a message of that type."""
    audio = b""
    while True:
        message = await socket.recv()
        if isinstance(message, bytes):
            audio += message
        elif json.loads(message)["type"] == kind:
            return audio


async def test_it_greets_and_says_a_flushed_text_as_raw_mu_law() -> None:
    async with DeepgramVoice() as house, connected(house) as socket:
        assert json.loads(await socket.recv())["type"] == "Metadata"
        await send(socket, {"type": "Speak", "text": "Hello "}, {"type": "Speak", "text": "there."})
        await send(socket, {"type": "Flush"})

        assert await until_told(socket, "Flushed") == await house.bank.audio("Hello there.", "ulaw_8000")


async def test_clear_drops_what_is_being_said() -> None:
    async with DeepgramVoice(Script(gap_s=0.01, piece_bytes=80)) as house, connected(house) as socket:
        await send(socket, {"type": "Speak", "text": "A long sentence."}, {"type": "Flush"})
        await until(lambda: house.generations.running == 1)
        await send(socket, {"type": "Clear"})
        await until_told(socket, "Cleared")

        assert (house.generations.cancelled, house.generations.finished) == (1, 0)


async def test_close_finishes_first() -> None:
    async with DeepgramVoice() as house, connected(house) as socket:
        await send(socket, {"type": "Speak", "text": "Hi."}, {"type": "Flush"}, {"type": "Close"})
        await until_told(socket, "Flushed")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await socket.recv()

        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
        assert house.generations.finished == 1


async def test_too_many_flushes_are_warned_of_and_not_obeyed() -> None:
    async with DeepgramVoice(flushes=1) as house, connected(house) as socket:
        await send(socket, {"type": "Flush"}, {"type": "Flush"})
        await until_told(socket, "Warning")

        assert house.seen[0].orders == ["Flush", "Flush"]


@pytest.mark.parametrize(
    ("key", "query", "limit", "status"),
    [
        ("wrong", {}, None, 401),
        (KEY, {"encoding": "mp3"}, None, 400),
        (KEY, {"model": "nova-3"}, None, 400),
        (KEY, {}, 0, 429),
    ],
)
async def test_the_handshake_is_refused(
    key: str, query: dict[str, str], limit: int | None, status: int
) -> None:
    async with DeepgramVoice(limit=limit) as house:
        with pytest.raises(InvalidStatus) as refused:
            async with connected(house, key, **query):
                pass

    assert refused.value.response.status_code == status
    assert refused.value.response.headers["dg-error"]


async def test_an_idle_socket_is_closed() -> None:
    async with DeepgramVoice(idle_s=0.05) as house, connected(house) as socket:
        await socket.recv()
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
