"""The stand-in is held to what is known of the vendor, or tests against it would prove nothing."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.standins.elevenlabs import KEY, VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script

Frame = dict[str, Any]


@asynccontextmanager
async def connected(
    vendor: ElevenLabsStandin, path: str = "stream-input", *, key: str = KEY, **query: str
) -> AsyncIterator[ClientConnection]:
    query = {"model_id": "eleven_flash_v2_5", "output_format": "ulaw_8000"} | query
    url = f"{vendor.url}/v1/text-to-speech/{VOICE}/{path}?{httpx.QueryParams(query)}".replace("http", "ws")
    async with connect(url, additional_headers={"xi-api-key": key} if key else {}, close_timeout=1) as socket:
        yield socket


async def send(socket: ClientConnection, *messages: Frame) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def receive(socket: ClientConnection) -> Frame:
    async with asyncio.timeout(5):
        return dict(json.loads(await socket.recv()))


async def until_final(socket: ClientConnection) -> list[Frame]:
    frames = [await receive(socket)]
    while not frames[-1]["isFinal"]:
        frames.append(await receive(socket))
    return frames


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as failure:
        async with asyncio.timeout(5):
            await socket.recv()
    assert failure.value.rcvd is not None
    return failure.value.rcvd.code, failure.value.rcvd.reason


def audio_of(frames: list[Frame]) -> list[bytes]:
    return [base64.b64decode(frame["audio"]) for frame in frames if frame.get("audio")]


def quick(**settings: Any) -> ElevenLabsStandin:
    return ElevenLabsStandin(delay_ms=(5, 10), **settings)


async def test_audio_comes_in_lumps_with_an_odd_tail_and_a_late_close() -> None:
    async with quick() as vendor, connected(vendor) as socket:
        await send(socket, {"text": " "}, {"text": "Hello there, this is a test. "}, {"text": ""})
        frames = await until_final(socket)
        ended = asyncio.get_running_loop().time()

        assert await closed(socket) == (1000, "")
        assert asyncio.get_running_loop().time() - ended > 0.7

        pieces = audio_of(frames)
        assert b"".join(pieces) == await vendor.bank.audio("Hello there, this is a test.", "ulaw_8000")
        assert 10 <= len(pieces[-1]) <= 261
        assert [frame["isFinal"] for frame in frames] == [None] * (len(frames) - 1) + [True]


async def test_a_short_text_waits_for_the_schedule_unless_flushed() -> None:
    async with quick() as vendor, connected(vendor) as socket:
        await send(socket, {"text": " "}, {"text": "Hello. "})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await socket.recv()

        await send(socket, {"text": "", "flush": True})
        assert audio_of([await receive(socket)])


async def test_in_auto_mode_each_message_is_generated_by_itself() -> None:
    async with quick() as vendor, connected(vendor, auto_mode="true") as socket:
        await send(socket, {"text": " "}, {"text": "Hel"}, {"text": "lo"}, {"text": ""})
        apart = sum(map(len, audio_of(await until_final(socket))))
        whole = len(await vendor.bank.audio("Hello", "ulaw_8000"))

    assert apart > 1.5 * whole


async def test_pieces_without_auto_mode_are_glued() -> None:
    async with quick() as vendor, connected(vendor) as socket:
        await send(socket, {"text": " "}, {"text": "Hel"}, {"text": " "}, {"text": "lo"}, {"text": ""})
        glued = b"".join(audio_of(await until_final(socket)))

        assert glued == await vendor.bank.audio("Hello", "ulaw_8000")


async def test_a_client_that_half_closes_after_its_end_gets_no_audio() -> None:
    async with quick() as vendor, connected(vendor) as socket:
        await send(socket, {"text": " "}, {"text": "Hello there. "}, {"text": ""})
        socket.transport.write_eof()

        with pytest.raises(ConnectionClosed):
            await receive(socket)
        assert not vendor.seen[0].finished


@pytest.mark.parametrize(("key", "word"), [("sk_wrong", "invalid_api_key"), ("", "authentication_required")])
async def test_a_bad_key_is_let_in_and_then_refused(key: str, word: str) -> None:
    async with quick() as vendor, connected(vendor, key=key) as socket:
        if not key:
            await send(socket, {"text": " "})
        frame = await receive(socket)

        assert (frame["error"], frame["code"]) == (word, 1008)
        assert await closed(socket) == (1008, frame["message"][:123])


@pytest.mark.parametrize("name", ["xi-api-key", "xi_api_key"])
async def test_the_key_may_come_with_the_first_message(name: str) -> None:
    async with quick() as vendor, connected(vendor, key="") as socket:
        await send(socket, {"text": " ", name: KEY}, {"text": "Hello. "}, {"text": ""})

        assert audio_of(await until_final(socket))


async def test_silence_of_the_client_is_an_idle_timeout_with_its_reason_cut() -> None:
    async with quick(idle_s=0.05) as vendor, connected(vendor) as socket:
        frame = await receive(socket)

        assert frame["error"] == "input_timeout_exceeded"
        assert len(frame["message"]) > 123
        assert await closed(socket) == (1008, frame["message"][:123])


async def test_only_so_many_generate_at_once_and_idle_sockets_do_not_count() -> None:
    async with quick(limit=1, queue_ms=10) as vendor:
        vendor.scripts[VOICE] = Script(stall_after=1000)
        async with connected(vendor) as idle, connected(vendor) as first, connected(vendor) as second:
            await send(idle, {"text": " "})
            await send(first, {"text": " "}, {"text": "Hello. "}, {"text": ""})
            await receive(first)
            await send(second, {"text": " "}, {"text": "Hello. "}, {"text": ""})

            assert (await receive(second))["error"] == "too_many_concurrent_requests"
            assert (vendor.slots.running, vendor.slots.peak, vendor.open_sockets) == (1, 1, 3)


@pytest.mark.parametrize(
    ("path", "model", "status"), [("nowhere", "m", 403), ("stream-input", "eleven_v3", 400)]
)
async def test_the_handshake_refuses_what_the_vendor_refuses(path: str, model: str, status: int) -> None:
    async with quick() as vendor:
        with pytest.raises(InvalidStatus) as failure:
            async with connected(vendor, path, model_id=model):
                pass

    assert failure.value.response.status_code == status


async def test_contexts_speak_at_once_and_end_with_a_final_each() -> None:
    async with quick() as vendor, connected(vendor, "multi-stream-input") as socket:
        for name, text in (("a", "One. "), ("b", "Twenty two thousand. ")):
            await send(socket, {"text": text, "context_id": name, "flush": True})
            await send(socket, {"context_id": name, "close_context": True})
        frames: list[Frame] = []
        while [frame["isFinal"] for frame in frames].count(True) < 2:
            frames.append(await receive(socket))

        for name, text in (("a", "One."), ("b", "Twenty two thousand.")):
            own = [frame for frame in frames if frame["contextId"] == name]
            assert b"".join(audio_of(own)) == await vendor.bank.audio(text, "ulaw_8000")
            assert own[-1]["isFinal"]


async def test_an_empty_text_keeps_a_context_and_a_flush_gives_no_final() -> None:
    async with quick() as vendor, connected(vendor, "multi-stream-input") as socket:
        await send(
            socket, {"text": "Hello. ", "context_id": "a", "flush": True}, {"text": "", "context_id": "a"}
        )
        assert audio_of([await receive(socket)])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                while not json.loads(await socket.recv())["isFinal"]:
                    pass

        await send(socket, {"close_socket": True})
        assert (await until_final(socket))[-1]["contextId"] == "a"
        assert await closed(socket) == (1000, "")


async def test_the_sixth_context_ends_the_whole_socket() -> None:
    async with quick() as vendor, connected(vendor, "multi-stream-input") as socket:
        for number in range(6):
            await send(socket, {"text": " ", "context_id": str(number)})

        assert (await receive(socket))["error"] == "max_active_conversations"
        assert (await closed(socket))[0] == 1008


async def test_settings_belong_to_the_first_message_of_a_context() -> None:
    async with quick() as vendor, connected(vendor, "multi-stream-input") as socket:
        await send(socket, {"text": " ", "context_id": "a"})
        await send(socket, {"text": "Hi. ", "context_id": "a", "voice_settings": {"speed": 1.1}})

        assert (await receive(socket))["error"] == "invalid_voice_settings"


async def test_http_checks_the_body_before_the_key() -> None:
    async with quick() as vendor, httpx.AsyncClient(base_url=vendor.url) as client:
        path = f"/v1/text-to-speech/{VOICE}/stream"
        no_body = await client.post(path, json={})
        no_key = await client.post(path, json={"text": "Hello."})
        elsewhere = await client.get("/v1/nothing")

    assert no_body.status_code == 422
    assert (no_key.status_code, no_key.json()["detail"]["status"]) == (401, "needs_authorization")
    assert (elsewhere.status_code, elsewhere.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("path", ["", "/stream"])
async def test_http_streams_mp3_behind_a_tag_of_45_bytes(path: str) -> None:
    async with quick() as vendor, httpx.AsyncClient(base_url=vendor.url) as client:
        answer = await client.post(
            f"/v1/text-to-speech/{VOICE}{path}", json={"text": "Hello."}, headers={"xi-api-key": KEY}
        )

    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["current-concurrent-requests"] == "1"
    assert answer.content[:3] == b"ID3"
    assert answer.content[45:47] == b"\xff\xfb"


async def test_it_runs_as_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "tests.standins.elevenlabs", "--port", "0", "--key", "k", "--delay-ms", "1"],
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            said = (await process.stdout.readline()).decode()
        async with httpx.AsyncClient() as client:
            url = said.split()[3].rstrip(",")
            answer = await client.get(f"{url}/v1/voices/{VOICE}", headers={"xi-api-key": "k"})
    finally:
        process.terminate()
        await process.communicate()

    assert answer.status_code == 200
