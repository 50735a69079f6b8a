"""What uvicorn would wait for for ever: slow heads, slow forms, answers that nobody takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.log import Event, attach
from app.web import http_wire, stalled
from tests.standins.house import House, house
from tests.standins.raw_socket import RawSocket, connected

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
FORM = b"POST /voice HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: x\r\nContent-Length: 1000\r\n\r\nCallSid=CA"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_wire, "REQUEST_WITHIN_S", 0.4)


async def _send_slowly(socket: RawSocket, raw: bytes) -> None:
    for at in range(len(raw)):
        try:
            await socket.send(raw[at : at + 1])
        except ConnectionError:
            return
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "raw", [b"", b"GET /livez HT", GET[:-2], FORM], ids=["nothing", "line", "head", "form"]
)
@pytest.mark.usefixtures("hurried")
async def test_threat_4_a_request_that_is_not_here_in_time_is_dropped_without_a_word(raw: bytes) -> None:
    told: list[Event] = []
    async with house() as there, connected(there.url) as socket:
        detach = attach(told.append)
        await socket.send(raw)
        async with asyncio.TaskGroup() as group:
            trickle = group.create_task(_send_slowly(socket, b"x" * 1000))
            assert await socket.status() == 0
            trickle.cancel()
        await there.empty()
        detach()

    assert there.parts.doorstep.figures()["dropped_slow"] == 1
    assert [event["event"] for event in told if event["level"] != "debug"] == ["door.crowded"]


@pytest.mark.usefixtures("hurried")
async def test_a_kept_connection_has_the_same_time_for_each_request() -> None:
    async with house() as there, connected(there.url) as socket:
        for _ in range(3):
            await socket.send(GET)
            assert await socket.answer() == (200, b"ok\n")
            await asyncio.sleep(0.2)
        await socket.send(GET[:10])

        assert await socket.status() == 0
    assert there.parts.doorstep.figures()["dropped_slow"] == 1


async def test_requests_behind_one_another_are_all_answered() -> None:
    async with house() as there, connected(there.url) as socket:
        await socket.send(GET * 3)

        assert [await socket.answer() for _ in range(3)] == [(200, b"ok\n")] * 3


async def test_a_flood_of_silent_connections_does_not_keep_a_webhook_out(there: House) -> None:
    """Far more than may stand at the door, none of which ever says a word."""
    async with asyncio.TaskGroup() as group:
        flood = [group.create_task(asyncio.open_connection(*there.address)) for _ in range(40)]
    async with connected(there.url) as socket:
        await socket.send(GET)
        assert await socket.answer() == (200, b"ok\n")
    assert there.parts.doorstep.figures()["dropped_crowd"] >= 40 - 8
    for task in flood:
        task.result()[1].transport.abort()
    await there.empty()


@pytest.fixture
async def there() -> AsyncIterator[House]:
    async with house(at_the_door=8) as narrow:
        yield narrow


@asynccontextmanager
async def _a_long_answer() -> AsyncIterator[House]:
    async def answer(_request: Request) -> Response:
        return PlainTextResponse(b"x" * 64 * 1024 * 1024)

    async with house(extra=[Route("/long", answer)]) as there:
        yield there


async def test_who_does_not_take_the_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalled, "TAKES_WITHIN_S", 0.3)
    async with _a_long_answer() as there, connected(there.url, takes=False) as socket:
        await socket.send(GET.replace(b"/livez", b"/long"))
        async with asyncio.timeout(15):
            while there.connections() == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while there.connections():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
