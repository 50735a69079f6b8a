import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.standins.elevenlabs_multi import KEY, VOICE, MultiVoice
from tests.standins.voice_house import Script, until


@asynccontextmanager
async def connected(house: MultiVoice, key: str = KEY) -> AsyncIterator[ClientConnection]:
    url = house.url.replace("http", "ws") + f"/v1/text-to-speech/{VOICE}/multi-stream-input"
    async with connect(f"{url}?output_format=ulaw_8000", additional_headers={"xi-api-key": key}) as socket:
        yield socket


async def send(socket: ClientConnection, *messages: dict[str, object]) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def until_final(socket: ClientConnection) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = [json.loads(await socket.recv())]
    while not frames[-1].get("isFinal") and "error" not in frames[-1]:
        frames.append(json.loads(await socket.recv()))
    return frames


async def test_a_context_ends_when_it_is_closed_and_has_said_all() -> None:
    async with MultiVoice() as house, connected(house) as socket:
        await send(socket, {"text": "Hello there. ", "context_id": "a", "flush": True})
        first = json.loads(await socket.recv())
        await send(socket, {"context_id": "a", "close_context": True})
        frames = [first, *(await until_final(socket))]

        audio = b"".join(base64.b64decode(frame["audio"] or "") for frame in frames)
        assert audio == await house.bank.audio("Hello there.", "ulaw_8000")
        assert {frame["contextId"] for frame in frames} == {"a"}
        assert "".join(first["alignment"]["chars"]) == "Hello there. "
        assert frames[1]["alignment"] is None


async def test_a_close_that_overtakes_its_text_leaves_it_unsaid() -> None:
    async with MultiVoice(registers_s=0.2) as house, connected(house) as socket:
        await send(socket, {"text": "Hello. ", "context_id": "a", "flush": True})
        await send(socket, {"context_id": "a", "close_context": True})

        assert [frame["audio"] for frame in await until_final(socket)] == [None]
        assert house.generations.finished == 0


async def test_the_sixth_context_ends_the_socket() -> None:
    async with MultiVoice() as house, connected(house) as socket:
        for number in range(6):
            await send(socket, {"text": " ", "context_id": str(number)})

        assert (await until_final(socket))[-1]["error"] == "max_active_conversations"
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_a_message_for_an_unknown_id_makes_a_phantom() -> None:
    async with MultiVoice() as house, connected(house) as socket:
        await send(socket, {"context_id": "never", "flush": True}, {"text": ""}, {"close_socket": True})
        await until_final(socket)

    assert [context.name for context in house.seen[0].contexts] == ["never"]


@pytest.mark.parametrize(("key", "idle_s"), [("wrong", None), (KEY, 0.05)])
async def test_a_wrong_key_and_a_long_silence_are_told_in_a_frame(key: str, idle_s: float | None) -> None:
    async with MultiVoice(idle_s=idle_s) as house, connected(house, key) as socket:
        error = (await until_final(socket))[-1]["error"]

    assert error == ("invalid_api_key" if key == "wrong" else "input_timeout_exceeded")


async def test_over_the_workspaces_limit_a_context_is_refused() -> None:
    async with MultiVoice(Script(delay_s=5.0), limit=1) as house, connected(house) as socket:
        await send(socket, {"text": "One. ", "context_id": "a", "flush": True})
        await until(lambda: house.generations.running == 1)
        await send(socket, {"text": "Two. ", "context_id": "b", "flush": True})
        frames = await until_final(socket)

    assert (frames[-1]["error"], frames[-1]["contextId"]) == ("too_many_concurrent_requests", "b")
