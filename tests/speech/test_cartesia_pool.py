import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from app.errors import ProviderError
from app.speech.arrivals import Arrivals
from app.speech.cartesia_pool import CartesiaSockets
from app.speech.cartesia_socket import MOST_SENTENCES, CartesiaSocket, Sentence
from app.speech.cartesia_wire import request, socket_url
from app.speech.connection import USUAL
from tests.standins.cartesia import KEY, VOICE, CartesiaStandin
from tests.standins.cartesia_script import Script

REQUEST = request(VOICE, "sonic-3.5", "en", "ulaw_8000", aligned=False)


@asynccontextmanager
async def pooled(vendor: CartesiaStandin, *, key: str = KEY) -> AsyncIterator[CartesiaSockets]:
    url = socket_url(vendor.url)
    async with CartesiaSockets(lambda: CartesiaSocket.open(url, key, USUAL)) as sockets:
        yield sockets


def sentence() -> Sentence:
    return Sentence("Hello there.", Arrivals("cartesia", USUAL), None)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - neither side signals
            await asyncio.sleep(0.005)


async def test_warming_opens_one_socket_however_often_it_is_asked() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor) as sockets:
        for _ in range(5):
            sockets.warm()
        await until(lambda: len(sockets) == 1)
        sockets.warm()
        await asyncio.sleep(0.05)

        assert vendor.accepted == 1
        assert sockets.take() is sockets.take() is not None


async def test_warming_that_fails_is_told_and_may_be_tried_again() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor, key="sk_car_wrong") as sockets:
        with capture_logs() as events:
            sockets.warm()
            await until(lambda: len(events) == 1)
            sockets.warm()
            await until(lambda: len(events) == 2)

    assert {(event["event"], event["kind"]) for event in events} == {("speech.warming_failed", "auth")}


async def test_many_who_come_at_once_share_the_sockets_that_are_opened() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor) as sockets:
        async with asyncio.TaskGroup() as group:
            for _ in range(2 * MOST_SENTENCES + 1):
                group.create_task(sockets.connect())

        assert (vendor.accepted, len(sockets)) == (3, 3)


async def test_many_who_come_at_once_are_refused_together() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor, key="sk_car_wrong") as sockets:
        failures = await asyncio.gather(*[sockets.connect() for _ in range(5)], return_exceptions=True)

    assert [getattr(failure, "kind", None) for failure in failures] == ["auth"] * 5


async def test_one_who_gives_up_leaves_the_opening_to_the_others() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor) as sockets:
        first, second = asyncio.create_task(sockets.connect()), asyncio.create_task(sockets.connect())
        await asyncio.sleep(0)
        first.cancel()

        assert (await second).usable
        assert vendor.accepted == 1


async def test_closing_in_the_midst_of_an_opening_ends_the_wait() -> None:
    async with CartesiaStandin() as vendor:
        vendor.hang = True
        async with pooled(vendor) as sockets:
            waiting = asyncio.create_task(sockets.connect())
            await asyncio.sleep(0.05)
        with pytest.raises(ProviderError) as failure:
            await waiting

    assert failure.value.kind == "closed"


async def test_an_idle_socket_that_expires_is_no_failure() -> None:
    async with CartesiaStandin(idle_s=0.1) as vendor, pooled(vendor) as sockets:
        with capture_logs() as events:
            await sockets.connect()
            await until(lambda: len(sockets) == 0)

        assert sockets.take() is None
    assert {event["log_level"] for event in events} == {"debug"}


async def test_of_idle_sockets_one_is_kept() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor) as sockets:
        first = await sockets.connect()
        second = await sockets.connect()
        one = sentence()
        await second.say(one, REQUEST)
        sockets.leave(second, one)
        await until(lambda: vendor.open_sockets == 1)

        assert sockets.take() is first


async def test_the_only_socket_is_kept() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor) as sockets:
        only = await sockets.connect()
        one = sentence()
        await only.say(one, REQUEST)
        sockets.leave(only, one)
        await until(lambda: any(seen.cancelled for seen in vendor.seen))

        assert sockets.take() is only


async def test_a_socket_that_fell_silent_is_closed_when_its_last_sentence_is_left() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor) as sockets:
        vendor.scripts[VOICE] = Script(stall_after=0)
        socket = await sockets.connect()
        one, other = sentence(), sentence()
        await socket.say(one, REQUEST)
        await socket.say(other, REQUEST)
        socket.retire()
        sockets.leave(socket, one)
        await until(lambda: any(seen.cancelled for seen in vendor.seen))
        kept = vendor.open_sockets
        sockets.leave(socket, other)
        await until(lambda: vendor.open_sockets == 0)

    assert kept == 1


async def test_a_probe_leaves_nothing_open() -> None:
    async with CartesiaStandin() as vendor, pooled(vendor) as sockets:
        await sockets.probe()
        await until(lambda: vendor.open_sockets == 0)

        assert (vendor.accepted, len(sockets)) == (1, 0)


async def test_closing_closes_every_socket_and_fails_what_is_said_on_it() -> None:
    async with CartesiaStandin() as vendor:
        vendor.scripts[VOICE] = Script(stall_after=0)
        async with pooled(vendor) as sockets:
            socket = await sockets.connect()
            one = sentence()
            await socket.say(one, REQUEST)
            await until(lambda: bool(vendor.seen))
        await until(lambda: vendor.open_sockets == 0)
        sockets.leave(socket, one)
        with pytest.raises(ProviderError) as failure:
            await anext(one.arrivals.pieces(first_audio_s=1))

    assert failure.value.kind == "closed"
