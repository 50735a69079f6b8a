import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import Failure, ProviderError
from app.speech.connection import USUAL
from app.speech.elevenlabs_socket import SpeechSocket, socket_url
from app.speech.elevenlabs_warm import WarmSockets
from tests.standins.elevenlabs import KEY, VOICE, ElevenLabsStandin


@asynccontextmanager
async def warm_sockets(
    size: int, *, keep_alive_s: float = 10.0, idle_s: float | None = None
) -> AsyncIterator[tuple[WarmSockets, ElevenLabsStandin]]:
    async with ElevenLabsStandin(idle_s=idle_s) as vendor:
        url = socket_url(vendor.url, VOICE, "eleven_flash_v2_5", "ulaw_8000")

        async def connect() -> SpeechSocket:
            return await SpeechSocket.open(url, KEY, USUAL)

        async with WarmSockets(connect, size=size, keep_alive_s=keep_alive_s) as warm:
            yield warm, vendor


async def there_are(warm: WarmSockets, count: int) -> None:
    async with asyncio.timeout(5):
        while len(warm) != count:  # noqa: ASYNC110 - the vendor does not signal
            await asyncio.sleep(0.005)


async def test_what_is_missing_is_opened_in_the_background() -> None:
    async with warm_sockets(3) as (warm, vendor):
        warm.fill()
        warm.fill()
        assert len(warm) == 0

        await there_are(warm, 3)

        assert len(vendor.seen) == 3


async def test_a_socket_is_handed_out_once_the_oldest_first() -> None:
    async with warm_sockets(2) as (warm, _):
        warm.fill()
        await there_are(warm, 2)

        one, other, none = warm.take(), warm.take(), warm.take()

        assert one is not None and other is not None and one is not other
        assert none is None
        for socket in (one, other):
            assert socket.usable
            warm.retire(socket)


async def test_a_taken_socket_is_replaced_by_the_next_filling() -> None:
    async with warm_sockets(1) as (warm, vendor):
        warm.fill()
        await there_are(warm, 1)
        socket = warm.take()
        assert socket is not None
        warm.fill()
        await there_are(warm, 1)

        assert len(vendor.seen) == 2
        warm.retire(socket)


async def test_sockets_are_kept_alive_beyond_the_vendors_limit() -> None:
    async with warm_sockets(1, keep_alive_s=0.1, idle_s=0.3) as (warm, vendor):
        warm.fill()
        await there_are(warm, 1)
        await asyncio.sleep(0.6)

        assert len(warm) == 1
        assert {"text": " "} in vendor.seen[0].messages[1:]


async def test_a_socket_that_expired_is_forgotten_and_not_replaced() -> None:
    async with warm_sockets(1, idle_s=0.05) as (warm, vendor):
        warm.fill()
        await there_are(warm, 1)
        await there_are(warm, 0)

        assert warm.take() is None
        assert len(vendor.seen) == 1


async def test_a_vendor_who_refuses_leaves_nothing_warm() -> None:
    async def refuse() -> SpeechSocket:
        raise ProviderError("elevenlabs", Failure.AUTH)

    async with WarmSockets(refuse, size=2) as warm:
        warm.fill()
        await asyncio.sleep(0.01)

        assert warm.take() is None
        warm.fill()  # and may be asked again


async def test_leaving_closes_every_socket() -> None:
    async with ElevenLabsStandin() as vendor:
        url = socket_url(vendor.url, VOICE, "eleven_flash_v2_5", "ulaw_8000")
        async with WarmSockets(lambda: SpeechSocket.open(url, KEY, USUAL), size=2) as warm:
            warm.fill()
            await there_are(warm, 2)

        async with asyncio.timeout(5):
            while vendor.open_sockets:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)

        assert len(vendor.seen) == 2
        assert all(seen.gone for seen in vendor.seen)
