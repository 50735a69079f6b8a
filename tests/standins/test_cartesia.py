"""The stand-in is held to what is known of the vendor, or tests against it would prove nothing."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.standins.cartesia import KEY, UNKNOWN_VOICE, VOICE, CartesiaStandin
from tests.standins.cartesia_script import Script

TEXT = "The quick brown fox jumps over the lazy dog."
Frame = dict[str, Any]


@asynccontextmanager
async def connected(
    vendor: CartesiaStandin, *, path: str = "/tts/websocket?cartesia_version=2026-03-01", key: str = KEY
) -> AsyncIterator[ClientConnection]:
    url = vendor.url.replace("http", "ws") + path
    async with connect(url, additional_headers={"Authorization": f"Bearer {key}"}, close_timeout=1) as socket:
        yield socket


def request(text: str = TEXT, **changes: Any) -> str:
    message = {
        "model_id": "sonic-3.5",
        "transcript": text,
        "voice": {"mode": "id", "id": VOICE},
        "language": "en",
        "context_id": "a",
        "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
        "continue": False,
    }
    return json.dumps(message | changes)


async def receive(socket: ClientConnection) -> Frame:
    async with asyncio.timeout(10):
        return dict(json.loads(await socket.recv()))


async def until_done(socket: ClientConnection, contexts: int = 1) -> list[Frame]:
    frames: list[Frame] = []
    while sum(frame["done"] for frame in frames) < contexts:
        frames.append(await receive(socket))
    return frames


def audio(frames: list[Frame], context: str = "a") -> bytes:
    own = [frame for frame in frames if frame["context_id"] == context]
    return b"".join(base64.b64decode(frame["data"]) for frame in own if frame["type"] == "chunk")


async def test_a_context_is_chunks_a_flush_and_its_end() -> None:
    async with CartesiaStandin() as vendor, connected(vendor) as socket:
        await socket.send(request())
        frames = await until_done(socket)

        assert audio(frames) == await vendor.bank.audio(TEXT, "ulaw_8000")
        kinds = [frame["type"] for frame in frames]
        assert kinds == ["chunk"] * (len(kinds) - 2) + ["flush_done", "done"]
        assert len(kinds) > 4


async def test_contexts_are_generated_beside_each_other() -> None:
    async with CartesiaStandin() as vendor, connected(vendor) as socket:
        await socket.send(request())
        await socket.send(request("Yes.", context_id="b"))
        frames = await until_done(socket, contexts=2)

        assert audio(frames, "a") == await vendor.bank.audio(TEXT, "ulaw_8000")
        assert audio(frames, "b") == await vendor.bank.audio("Yes.", "ulaw_8000")


async def test_inputs_of_one_context_come_in_order_and_end_once() -> None:
    async with CartesiaStandin() as vendor, connected(vendor) as socket:
        await socket.send(request("One. ", **{"continue": True}))
        await socket.send(request("Two.", **{"continue": True}))
        await socket.send(request(""))
        frames = await until_done(socket)
        parts = [await vendor.bank.audio(text, "ulaw_8000") for text in ("One.", "Two.")]

        assert audio(frames) == b"".join(parts)


async def test_words_have_times_when_asked_for() -> None:
    async with CartesiaStandin() as vendor, connected(vendor) as socket:
        await socket.send(request(add_timestamps=True))
        frames = await until_done(socket)

    told = [frame["word_timestamps"] for frame in frames if frame["type"] == "timestamps"]
    assert [word for part in told for word in part["words"]] == TEXT.split()
    ends = [end for part in told for end in part["end"]]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(len(audio(frames)) / 8000, abs=0.01)


async def test_a_cancel_halts_only_what_has_not_begun() -> None:
    async with CartesiaStandin(delay_ms=(200, 200)) as vendor, connected(vendor) as socket:
        await socket.send(request())
        await socket.send('{"context_id": "a", "cancel": true}')
        halted = await until_done(socket)
        vendor.delay_ms = (1, 1)
        await socket.send(request(context_id="b"))
        first = await receive(socket)
        await socket.send('{"context_id": "b", "cancel": true}')
        frames = [first, *await until_done(socket)]

        assert audio(halted) == b""
        assert audio(frames, "b") == await vendor.bank.audio(TEXT, "ulaw_8000")
    assert [(seen.cancelled, seen.begun) for seen in vendor.seen] == [(True, False), (True, True)]


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/tts/websocket?cartesia_version=2026-03-01", "sk_car_wrong", 401),
        ("/elsewhere", KEY, 404),
        ("/tts/websocket", KEY, 400),
    ],
)
async def test_the_handshake_refuses_what_the_vendor_refuses(path: str, key: str, status: int) -> None:
    async with CartesiaStandin() as vendor:
        with pytest.raises(InvalidStatus) as failure:
            async with connected(vendor, path=path, key=key):
                pass

    assert failure.value.response.status_code == status


async def test_too_many_sockets_are_refused() -> None:
    async with CartesiaStandin(most_sockets=1) as vendor, connected(vendor):
        with pytest.raises(InvalidStatus) as failure:
            async with connected(vendor):
                pass

    assert failure.value.response.status_code == 429


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"context_id": ""}, 400, None),
        ({"model_id": "tacotron"}, 404, "model_not_found"),
        ({"voice": {"mode": "id", "id": UNKNOWN_VOICE}}, 404, "voice_not_found"),
        ({"output_format": {"container": "mp3"}}, 400, None),
    ],
)
async def test_a_wrong_request_gets_an_error_and_the_socket_stays(
    changes: Frame, status: int, code: str | None
) -> None:
    async with CartesiaStandin() as vendor, connected(vendor) as socket:
        await socket.send(request(**changes))
        error = await receive(socket)
        await socket.send(request("Yes.", context_id="b"))

        assert audio(await until_done(socket), "b")
    assert (error["type"], error["status_code"], error["error_code"]) == ("error", status, code)


async def test_only_so_many_contexts_are_generated_at_once() -> None:
    async with CartesiaStandin(limit=1, queue_ms=10) as vendor, connected(vendor) as socket:
        vendor.scripts["slow"] = Script(stall_after=500)
        await socket.send(request(voice={"mode": "id", "id": "slow"}))
        await receive(socket)
        await socket.send(request(context_id="b"))

        frame = await receive(socket)
        while frame["type"] == "chunk":
            frame = await receive(socket)
        assert (frame["status_code"], frame["error_code"]) == (429, "concurrency_limited")
        assert (vendor.slots.running, vendor.slots.peak) == (1, 1)


async def test_an_idle_socket_is_closed_normally() -> None:
    async with CartesiaStandin(idle_s=0.1) as vendor, connected(vendor) as socket:
        with pytest.raises(ConnectionClosed) as failure:
            await receive(socket)

    assert failure.value.rcvd is not None
    assert failure.value.rcvd.code == 1000


async def test_a_client_that_half_closes_after_its_request_gets_no_audio() -> None:
    async with CartesiaStandin() as vendor, connected(vendor) as socket:
        await socket.send(request())
        socket.transport.write_eof()

        with pytest.raises(ConnectionClosed):
            await receive(socket)
    assert not vendor.seen[0].finished
