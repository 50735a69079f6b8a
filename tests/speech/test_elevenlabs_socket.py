import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from app.errors import ProviderError
from app.speech.connection import USUAL, Patience
from app.speech.elevenlabs_socket import SpeechSocket, socket_url
from tests.standins.elevenlabs import KEY, VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import FRAMES, Script

MODEL = "eleven_flash_v2_5"
IMPATIENT = Patience(connect_s=0.3, first_audio_s=0.3, gap_s=0.2)


@asynccontextmanager
async def standin(script: Script | None = None, **settings: float) -> AsyncIterator[ElevenLabsStandin]:
    idle_s = settings.get("idle_s")
    async with ElevenLabsStandin(delay_ms=(10, 20), idle_s=idle_s) as vendor:
        vendor.scripts[VOICE] = script or Script()
        yield vendor


@asynccontextmanager
async def connected(
    vendor: ElevenLabsStandin,
    *,
    audio_format: str = "ulaw_8000",
    model: str = MODEL,
    key: str = KEY,
    patience: Patience = USUAL,
) -> AsyncIterator[SpeechSocket]:
    socket = await SpeechSocket.open(socket_url(vendor.url, VOICE, model, audio_format), key, patience)
    try:
        yield socket
    finally:
        await socket.close()


async def said(socket: SpeechSocket, text: str = "Hello there.") -> bytes:
    await socket.say(text)
    async with aclosing(socket.messages()) as chunks:
        return b"".join([message.audio or b"" async for message in chunks])


def test_the_address_names_voice_model_and_format() -> None:
    assert socket_url("https://api.elevenlabs.io/", "a/b", "m", "ulaw_8000") == (
        "wss://api.elevenlabs.io/v1/text-to-speech/a%2Fb/stream-input"
        "?model_id=m&output_format=ulaw_8000&auto_mode=true&sync_alignment=true"
    )
    assert socket_url("http://127.0.0.1:9", "v", "m", "ulaw_8000").startswith("ws://127.0.0.1:9/v1/")


async def test_the_audio_is_the_vendors_to_the_last_byte() -> None:
    async with standin() as vendor, connected(vendor) as socket:
        assert await said(socket) == await vendor.bank.audio("Hello there.", "ulaw_8000")


async def test_the_vendor_gets_an_initial_message_the_sentence_and_the_end() -> None:
    async with standin() as vendor, connected(vendor) as socket:
        await said(socket, " Hello there. \n")
        (seen,) = vendor.seen

    assert seen.messages == [{"text": " "}, {"text": "Hello there. ", "flush": True}, {"text": ""}]
    assert seen.request.headers["xi-api-key"] == KEY
    assert "sec-websocket-extensions" not in seen.request.headers
    assert seen.finished


async def test_the_end_is_the_final_message_and_not_the_late_close() -> None:
    async with standin() as vendor, connected(vendor) as socket:
        await said(socket)

        assert socket.usable  # the vendor closes 0.75 s later


async def test_a_message_beyond_a_megabyte_is_read() -> None:
    async with standin(Script(padding=2_000_000)) as vendor, connected(vendor) as socket:
        assert await said(socket)


async def test_a_message_nobody_knows_is_ignored() -> None:
    script = Script(frame='{"type":"weather","sunny":true,"audio":null}')
    async with standin(script) as vendor, connected(vendor) as socket:
        assert await said(socket)


@pytest.mark.parametrize("word", FRAMES)
async def test_an_error_frame_is_an_error_by_its_word(word: str) -> None:
    kinds = {
        "invalid_api_key": "auth",
        "authentication_required": "auth",
        "voice_id_does_not_exist": "bad_request",
        "input_timeout_exceeded": "closed",
        "quota_exceeded": "quota",
        "max_active_conversations": "over_limit",
        "too_many_concurrent_requests": "over_limit",
        "system_busy": "busy",
    }
    async with standin(Script(error=word)) as vendor, connected(vendor) as socket:
        with pytest.raises(ProviderError) as failure:
            await said(socket)

    assert failure.value.kind == kinds[word]
    assert failure.value.message


@pytest.mark.parametrize(
    ("close", "kind"),
    [
        ((1008, FRAMES["quota_exceeded"]), "quota"),
        ((1008, ""), "bad_request"),
        ((1000, ""), "closed"),
        ((1013, "try later"), "busy"),
        ((1011, ""), "network"),
    ],
)
async def test_a_close_without_a_frame_is_an_error_by_code_and_reason(
    close: tuple[int, str], kind: str
) -> None:
    async with standin(Script(close=close)) as vendor, connected(vendor) as socket:
        with pytest.raises(ProviderError) as failure:
            await said(socket)

    assert failure.value.kind == kind


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(frame="{not json"), "garbage"),
        (Script(frame='{"audio":"***"}'), "garbage"),
        (Script(frame='{"audio":17}'), "garbage"),
        (Script(frame="[" * 100_000), "garbage"),
        (Script(cut_after=3000), "network"),
        (Script(stall_after=0), "timeout"),
        (Script(stall_after=3000), "timeout"),
    ],
)
async def test_what_breaks_the_protocol_is_an_error(script: Script, kind: str) -> None:
    patience = IMPATIENT if kind == "timeout" else USUAL
    async with standin(script) as vendor, connected(vendor, patience=patience) as socket:
        with pytest.raises(ProviderError) as failure:
            await said(socket)

    assert failure.value.kind == kind


@pytest.mark.parametrize(
    ("script", "model", "kind", "message"),
    [
        (Script(), "eleven_v3", "bad_request", "HTTP 400: Model is not supported"),
        (Script(refuse=(401, {"detail": {"status": "quota_exceeded"}})), MODEL, "quota", "HTTP 401"),
        (Script(refuse=(403, b"")), MODEL, "auth", "HTTP 403"),
        (
            Script(refuse=(429, {"detail": {"code": "concurrent_limit_exceeded"}})),
            MODEL,
            "over_limit",
            "HTTP 429",
        ),
        (Script(refuse=(503, b"<html>busy</html>")), MODEL, "busy", "HTTP 503"),
        (Script(hang=True), MODEL, "timeout", "no connection within 0.3 s"),
    ],
)
async def test_a_refused_handshake_is_an_error_by_its_body(
    script: Script, model: str, kind: str, message: str
) -> None:
    async with standin(script) as vendor:
        with pytest.raises(ProviderError) as failure:
            async with connected(vendor, model=model, patience=IMPATIENT if script.hang else USUAL):
                pass

    assert failure.value.kind == kind
    assert failure.value.message.startswith(message)


async def test_nobody_at_the_address_is_a_network_error() -> None:
    async with standin() as vendor:
        url = socket_url(vendor.url, VOICE, MODEL, "ulaw_8000")
    with pytest.raises(ProviderError) as failure:
        await SpeechSocket.open(url, KEY, USUAL)

    assert failure.value.kind == "network"


async def test_a_refused_key_is_told_before_any_text_and_is_not_repeated() -> None:
    async with standin() as vendor, connected(vendor, key="sk_wrong_wrong_wrong") as socket:
        with pytest.raises(ProviderError) as failure:
            async with aclosing(socket.messages()) as chunks:
                await anext(chunks)

    assert failure.value.kind == "auth"


async def test_the_vendors_echo_of_our_key_is_masked() -> None:
    script = Script(error="invalid_api_key", error_message=f"API key {KEY} is invalid")
    async with standin(script) as vendor, connected(vendor) as socket:
        with pytest.raises(ProviderError) as failure:
            await said(socket)

    assert KEY[:8] not in str(failure.value)


async def test_keep_alive_sets_the_vendors_idle_clock_back() -> None:
    async with standin(idle_s=0.3) as vendor, connected(vendor) as socket:
        for _ in range(4):
            await asyncio.sleep(0.15)
            await socket.keep_alive()

        assert await said(socket) == await vendor.bank.audio("Hello there.", "ulaw_8000")


async def test_a_socket_left_idle_is_closed_by_the_vendor() -> None:
    async with standin(idle_s=0.05) as vendor, connected(vendor) as socket:
        await socket.wait_closed()

        assert not socket.usable
        with pytest.raises(ProviderError) as failure:
            await socket.say("Too late.")

    assert failure.value.kind == "closed"
