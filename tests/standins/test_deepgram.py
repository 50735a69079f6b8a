"""The stand-in is held to what is known of the vendor, or tests against it would prove nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.standins.cloud_ears import Script
from tests.standins.deepgram import ERRORS, KEY, QUIET_S, DeepgramStandin
from tests.standins.dictated import dictated

Frame = dict[str, Any]
FINALIZE = '{"type":"Finalize"}'


@asynccontextmanager
async def connected(
    vendor: DeepgramStandin, *, key: str = KEY, encoding: str = "mulaw"
) -> AsyncIterator[ClientConnection]:
    url = f"{vendor.url}/v1/listen?model=nova-3&encoding={encoding}&sample_rate=8000&interim_results=true"
    headers = {"Authorization": f"Token {key}"}
    async with connect(url.replace("http", "ws"), additional_headers=headers, close_timeout=1) as socket:
        yield socket


async def receive(socket: ClientConnection) -> Frame:
    async with asyncio.timeout(5):
        return dict(json.loads(await socket.recv()))


def brief(frame: Frame) -> tuple[str, bool, bool, float, float]:
    text = frame["channel"]["alternatives"][0]["transcript"]
    until = round(frame["start"] + frame["duration"], 2)
    return text, frame["is_final"], frame["from_finalize"], frame["start"], until


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as failure:
        async with asyncio.timeout(5):
            while True:
                await socket.recv()
    assert failure.value.rcvd is not None
    return failure.value.rcvd.code, failure.value.rcvd.reason


async def test_results_tell_their_time_and_a_question_is_answered() -> None:
    async with DeepgramStandin() as vendor, connected(vendor) as socket:
        await socket.send(dictated("tour dates in"))  # 0.52 s
        await socket.send(FINALIZE)
        await socket.send(dictated("may"))
        await socket.send(FINALIZE)

        assert [brief(await receive(socket)) for _ in range(3)] == [
            ("tour dates in", False, False, 0.0, 0.56),
            ("tour dates in", True, True, 0.0, 0.56),
            ("may", True, True, 0.56, 0.72),
        ]


async def test_a_question_about_nothing_is_not_answered() -> None:
    async with DeepgramStandin() as vendor, connected(vendor) as socket:
        await socket.send(FINALIZE)
        await socket.send(bytes(100))
        await socket.send(FINALIZE)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await socket.recv()


async def test_words_become_final_by_themselves_at_the_end_of_one() -> None:
    async with DeepgramStandin(Script(segment_bytes=3000)) as vendor, connected(vendor) as socket:
        await socket.send(dictated("tour dates") + dictated("ma")[:-320])
        (text, final, from_finalize, _, until) = brief(await receive(socket))

    assert (text, final, from_finalize) == ("tour dates", True, False)
    assert until < 13 * 0.04


async def test_the_end_of_the_stream_is_answered_by_the_rest_and_a_summary() -> None:
    async with DeepgramStandin() as vendor, connected(vendor) as socket:
        await socket.send(dictated("bye"))
        await socket.send('{"type":"CloseStream"}')

        assert brief(await receive(socket))[:2] == ("bye", True)
        assert (await receive(socket))["type"] == "Metadata"
        assert await closed(socket) == (1000, "")


async def test_an_empty_message_ends_the_stream_too() -> None:
    async with DeepgramStandin() as vendor, connected(vendor) as socket:
        await socket.send(b"")

        assert await closed(socket) == (1000, "")


async def test_a_quiet_session_is_closed_unless_it_is_kept() -> None:
    assert QUIET_S == 10
    async with DeepgramStandin(quiet_s=0.15) as vendor, connected(vendor) as socket:
        for _ in range(4):
            await asyncio.sleep(0.07)
            await socket.send('{"type":"KeepAlive"}')

        assert await closed(socket) == ERRORS["NET-0001"]


@pytest.mark.parametrize(
    ("key", "encoding", "limit", "status", "code"),
    [
        ("wrong", "mulaw", None, 401, "INVALID_AUTH"),
        (KEY, "mulaw", 0, 429, "TOO_MANY_REQUESTS"),
        (KEY, "opus", None, 400, "Bad Request"),
    ],
)
async def test_a_session_is_refused_at_the_handshake(
    key: str, encoding: str, limit: int | None, status: int, code: str
) -> None:
    async with DeepgramStandin(limit=limit) as vendor:
        with pytest.raises(InvalidStatus) as failure:
            async with connected(vendor, key=key, encoding=encoding):
                pass

    answer = failure.value.response
    assert answer.status_code == status
    assert answer.headers["dg-error"] == code
    assert json.loads(answer.body or b"")["err_code"] == code


async def test_sessions_that_were_closed_make_room() -> None:
    async with DeepgramStandin(limit=1) as vendor:
        for _ in range(3):
            async with connected(vendor) as socket:
                await socket.send('{"type":"CloseStream"}')
                await closed(socket)
            async with asyncio.timeout(2):
                await vendor.seen[-1].gone.wait()


@pytest.mark.parametrize("word", ERRORS)
async def test_errors_are_closes_with_a_reason(word: str) -> None:
    async with DeepgramStandin(Script(error=word, fault_after=800)) as vendor, connected(vendor) as socket:
        await socket.send(bytes(800))

        assert await closed(socket) == ERRORS[word]


async def test_results_may_come_double_and_late() -> None:
    script = Script(double_final=True, late_partial=True)
    async with DeepgramStandin(script) as vendor, connected(vendor) as socket:
        await socket.send(dictated("yes"))
        await socket.send(FINALIZE)

        assert [brief(await receive(socket))[:2] for _ in range(3)] == [
            ("yes", True),
            ("yes", True),
            ("yes", False),
        ]
