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

from tests.standins.cloud_ears import BYTES_PER_WORD, Script
from tests.standins.dictated import dictated
from tests.standins.elevenlabs_stt import ERRORS, KEY, QUIET_S, ScribeStandin

Frame = dict[str, Any]


@asynccontextmanager
async def connected(
    vendor: ScribeStandin, *, key: str = KEY, query: str = "model_id=scribe_v2_realtime"
) -> AsyncIterator[ClientConnection]:
    url = f"{vendor.url}{vendor.path}?{query}&audio_format=ulaw_8000".replace("http", "ws")
    async with connect(url, additional_headers={"xi-api-key": key} if key else {}, close_timeout=1) as socket:
        yield socket


@asynccontextmanager
async def started(vendor: ScribeStandin, query: str = "model_id=m") -> AsyncIterator[ClientConnection]:
    async with connected(vendor, query=query) as socket:
        assert (await receive(socket))["message_type"] == "session_started"
        yield socket


async def send(socket: ClientConnection, mulaw: bytes = b"", *, commit: bool = False) -> None:
    audio = base64.b64encode(mulaw).decode()
    chunk = {
        "message_type": "input_audio_chunk",
        "audio_base_64": audio,
        "commit": commit,
        "sample_rate": 8000,
    }
    await socket.send(json.dumps(chunk))


async def receive(socket: ClientConnection) -> Frame:
    async with asyncio.timeout(5):
        return dict(json.loads(await socket.recv()))


async def received(socket: ClientConnection, count: int) -> list[tuple[str, str]]:
    frames = [await receive(socket) for _ in range(count)]
    return [(frame["message_type"], frame["text"]) for frame in frames]


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as failure:
        async with asyncio.timeout(5):
            await socket.recv()
    assert failure.value.rcvd is not None
    return failure.value.rcvd.code, failure.value.rcvd.reason


async def test_the_session_starts_with_what_was_asked_for() -> None:
    async with ScribeStandin() as vendor, connected(vendor) as socket:
        hello = await receive(socket)

    assert hello["config"]["model_id"] == "scribe_v2_realtime"
    assert hello["config"]["audio_format"] == "ulaw_8000"
    assert hello["config"]["vad_commit_strategy"] is False


@pytest.mark.parametrize("key", ["", "sk_wrong"])
async def test_a_bad_key_is_accepted_told_and_closed_as_if_all_were_well(key: str) -> None:
    async with ScribeStandin() as vendor, connected(vendor, key=key) as socket:
        assert await receive(socket) == {"message_type": "auth_error", "error": ERRORS["auth_error"]}
        assert await closed(socket) == (1000, "")


async def test_partials_hold_the_whole_segment_and_a_commit_ends_it() -> None:
    async with ScribeStandin() as vendor, started(vendor) as socket:
        await send(socket, dictated("tour dates"))
        await send(socket, dictated("please again"))
        await send(socket, commit=True)
        await send(socket, dictated("and then"))
        await send(socket, commit=True)

        assert await received(socket, 4) == [
            ("partial_transcript", "tour dates"),
            ("partial_transcript", "tour dates please again"),
            ("committed_transcript", "tour dates please again"),
            ("committed_transcript", "and then"),
        ]


async def test_partials_may_wait_for_the_first_seconds() -> None:
    async with ScribeStandin(partials_after=16_000) as vendor, started(vendor) as socket:
        for _ in range(5):
            await send(socket, bytes(4000))

        assert await received(socket, 1) == [("partial_transcript", "")]
        assert len(vendor.seen[0].audio) >= 16_000


async def test_a_commit_with_too_little_audio_is_the_end() -> None:
    async with ScribeStandin() as vendor, started(vendor) as socket:
        await send(socket, bytes(2000), commit=True)

        assert "only 0.25s of uncommitted audio" in (await receive(socket))["error"]
        assert await closed(socket) == (1000, "commit_throttled")


async def test_a_quiet_session_is_closed_without_a_reason() -> None:
    assert QUIET_S == 15
    async with ScribeStandin(quiet_s=0.05) as vendor, started(vendor) as socket:
        assert await closed(socket) == (1000, "")


@pytest.mark.parametrize("order", ["plain", "timed"])
async def test_timestamps_come_as_a_twin_in_either_order(order: str) -> None:
    async with (
        ScribeStandin(Script(twins=order)) as vendor,
        started(vendor, "model_id=m&include_timestamps=true") as socket,
    ):
        await send(socket, dictated("yes please"), commit=True)
        kinds = [kind for kind, _ in await received(socket, 3)]

    twins = ["committed_transcript", "committed_transcript_with_timestamps"]
    assert kinds[1:] == (twins if order == "plain" else twins[::-1])


async def test_finals_may_come_double_and_partials_late() -> None:
    script = Script(double_final=True, late_partial=True)
    async with ScribeStandin(script) as vendor, started(vendor) as socket:
        await send(socket, dictated("ten dates"), commit=True)
        await send(socket, bytes(160))

        assert [kind for kind, _ in await received(socket, 5)] == [
            "partial_transcript",
            "committed_transcript",
            "committed_transcript",
            "partial_transcript",
            "partial_transcript",
        ]


async def test_a_long_segment_is_committed_unasked() -> None:
    async with ScribeStandin(Script(segment_bytes=5000)) as vendor, started(vendor) as socket:
        await send(socket, dictated("no end in sight"))

        assert await received(socket, 1) == [("committed_transcript", "no end in sight")]


@pytest.mark.parametrize("word", ERRORS)
async def test_every_error_comes_before_its_close(word: str) -> None:
    async with ScribeStandin(Script(error=word, fault_after=800)) as vendor, started(vendor) as socket:
        await send(socket, bytes(400))
        await send(socket, bytes(400))

        assert (await receive(socket))["message_type"] == word
        assert (await closed(socket))[0] == 1000


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("{not json", "input_error"),
        ('{"message_type":"hello"}', "input_error"),
        ('{"message_type":"input_audio_chunk"}', "input_error"),
        (
            json.dumps({"message_type": "input_audio_chunk", "audio_base_64": "A" * 80_004}),
            "chunk_size_exceeded",
        ),
    ],
)
async def test_what_a_client_may_not_send_is_an_error(message: str, word: str) -> None:
    async with ScribeStandin() as vendor, started(vendor) as socket:
        await socket.send(message)

        assert (await receive(socket))["message_type"] == word


async def test_a_voice_is_heard_as_the_script_says() -> None:
    voice = bytes(range(256)) * 20
    async with ScribeStandin(Script(words=("one two three", "four"))) as vendor, started(vendor) as socket:
        await send(socket, voice[:BYTES_PER_WORD], commit=True)
        await send(socket, voice, commit=True)
        texts = [text for kind, text in await received(socket, 3) if kind == "committed_transcript"]

    assert texts == ["one two", "four"]


async def test_a_connection_may_be_cut_or_a_handshake_refused() -> None:
    async with ScribeStandin(Script(cut=True), Script(refuse=(429, {"detail": "x"}))) as vendor:
        async with started(vendor) as socket:
            await send(socket, bytes(160))
            with pytest.raises(ConnectionClosed) as failure:
                await socket.recv()
            assert failure.value.rcvd is None
        with pytest.raises(InvalidStatus):
            async with connected(vendor):
                pass
        with pytest.raises(InvalidStatus):
            async with connected(vendor, query="nothing=1"):
                pass

        assert len(vendor.seen) == 3
