import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors import Failure, ProviderError
from app.hearing import link as link_module
from app.hearing.deepgram import DeepgramDialect
from app.hearing.deepgram import session_url as deepgram_url
from app.hearing.dialect import Heard
from app.hearing.elevenlabs import ElevenLabsDialect, session_url
from app.hearing.fault import Fault
from app.hearing.link import LONGEST_MESSAGE, Address, Link
from tests.standins.cloud_ears import Script
from tests.standins.deepgram import KEY as DEEPGRAM_KEY
from tests.standins.deepgram import DeepgramStandin, refusal
from tests.standins.dictated import dictated
from tests.standins.elevenlabs_stt import KEY, ScribeStandin

MODEL = "scribe_v2_realtime"


def address(vendor: ScribeStandin, key: str = KEY) -> Address:
    return Address("elevenlabs", session_url(vendor.url, MODEL, "en", ()), {"xi-api-key": key}, key)


@asynccontextmanager
async def connected(vendor: ScribeStandin) -> AsyncIterator[Link]:
    link = await Link.open(address(vendor), ElevenLabsDialect(), within_s=2)
    try:
        yield link
    finally:
        await link.close()


async def refused(vendor: ScribeStandin, *, key: str = KEY, within_s: float = 2) -> ProviderError:
    with pytest.raises(ProviderError) as failure:
        await Link.open(address(vendor, key), ElevenLabsDialect(), within_s=within_s)
    return failure.value


async def test_what_is_sent_is_heard() -> None:
    async with ScribeStandin() as vendor, connected(vendor) as link:
        link.dialect.begin()
        await link.send([link.dialect.audio(dictated("tour dates")), *link.dialect.end()])
        heard = [await link.receive(), await link.receive()]

    assert isinstance(heard[1], Heard)
    assert (heard[1].text, heard[1].whole) == ("tour dates", True)


async def test_a_refused_key_is_met_at_the_opening_although_the_vendor_accepts_the_handshake() -> None:
    async with ScribeStandin() as vendor:
        error = await refused(vendor, key="sk_wrong")

    assert (error.kind, error.provider) == ("auth", "elevenlabs")


async def test_a_close_instead_of_a_greeting_is_a_refusal() -> None:
    async with ScribeStandin(Script(greet=False), quiet_s=0.05) as vendor:
        assert (await refused(vendor)).kind == "closed"


@pytest.mark.parametrize("script", [Script(hang=True), Script(greet=False)])
async def test_a_vendor_that_is_not_ready_in_time_is_left(script: Script) -> None:
    async with ScribeStandin(script) as vendor:
        error = await refused(vendor, within_s=0.1)
        async with asyncio.timeout(2):
            await vendor.seen[0].gone.wait()

    assert str(error) == "elevenlabs: timeout: not ready within 0.1 s"


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "auth"), (402, "quota"), (429, "over_limit"), (500, "busy"), (504, "timeout")]
)
async def test_a_refused_handshake_is_an_error_by_its_status(status: int, kind: str) -> None:
    async with ScribeStandin(Script(refuse=(status, b""))) as vendor:
        assert (await refused(vendor)).kind == kind


async def test_headers_of_a_refusal_are_read() -> None:
    status, _, headers = refusal(402)
    async with DeepgramStandin(Script(refuse=(400, b""), refuse_headers=headers)) as vendor:
        there = Address("deepgram", deepgram_url(vendor.url, "nova-3", "en", ()), {}, DEEPGRAM_KEY)
        with pytest.raises(ProviderError) as failure:
            await Link.open(there, DeepgramDialect(), within_s=2)

    assert (status, failure.value.kind) == (402, "quota")


async def test_nobody_at_the_address_is_a_network_error() -> None:
    async with ScribeStandin() as vendor:
        pass

    assert (await refused(vendor)).kind == "network"


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        (Script(error="queue_overflow"), "busy", "queue_overflow: Server queue overflow."),
        (Script(close=(1013, "later")), "busy", "closed with 1013: later"),
        (Script(close=(1000, "")), "closed", "closed with 1000"),
        (Script(cut=True), "network", "the connection broke"),
        (Script(frame="{not json"), "garbage", "a message that cannot be read"),
    ],
)
async def test_what_ends_a_connection_is_an_error_of_the_receiver(
    script: Script, kind: str, message: str
) -> None:
    async with ScribeStandin(script) as vendor, connected(vendor) as link:
        await link.send([link.dialect.audio(bytes(800))])
        with pytest.raises(ProviderError) as failure:
            await link.receive()
        await link.send([link.dialect.audio(bytes(800))])  # nothing follows

    assert (failure.value.kind, failure.value.message) == (kind, message)


async def test_a_connection_that_we_give_up_is_an_error_of_the_receiver_too() -> None:
    async with ScribeStandin() as vendor, connected(vendor) as link:
        link.fail(Fault(Failure.TIMEOUT, "no last word in time"))
        with pytest.raises(ProviderError) as failure:
            await link.receive()

    assert failure.value.kind == "timeout"


async def test_a_vendor_that_takes_nothing_any_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "SEND_S", 0.2)
    async with ScribeStandin(Script(final_ms=60_000)) as vendor, connected(vendor) as link:
        link.dialect.begin()
        await link.send([link.dialect.audio(bytes(8000)), *link.dialect.end()])
        await link.send([bytes(1_000_000)] * 30)  # more than the machine's own buffers take
        with pytest.raises(ProviderError) as failure:
            while True:
                await link.receive()

    assert (failure.value.kind, failure.value.message) == ("timeout", "nothing could be sent")


async def test_closing_tells_the_vendor() -> None:
    async with ScribeStandin() as vendor:
        async with connected(vendor):
            pass
        async with asyncio.timeout(2):
            await vendor.seen[0].gone.wait()


def test_an_error_is_short_and_does_not_tell_the_key() -> None:
    there = Address("elevenlabs", "wss://x", {"xi-api-key": KEY}, KEY)
    error = there.error(Fault(Failure.AUTH, f"bad\nkey {KEY[:20]} " + "x" * 1000))

    assert error.message.startswith("bad key [key] x")
    assert len(error.message) == LONGEST_MESSAGE
    assert KEY[:8] not in repr(there)
