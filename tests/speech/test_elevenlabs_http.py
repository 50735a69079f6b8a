import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors import ProviderError
from app.speech.connection import USUAL, Patience
from app.speech.elevenlabs_http import ElevenLabsHttp
from tests.standins.elevenlabs import KEY, UNKNOWN_VOICE, VOICE, ElevenLabsStandin, detail
from tests.standins.elevenlabs_script import Script

LONG = "This sentence is long enough to come in several pieces, one after the other. "
IMPATIENT = Patience(connect_s=0.2, first_audio_s=0.3, gap_s=0.2)


@asynccontextmanager
async def speaking(
    script: Script | None = None,
    *,
    key: str = KEY,
    voice: str = VOICE,
    audio_format: str = "ulaw_8000",
    model: str = "eleven_flash_v2_5",
    limit: int | None = None,
    patience: Patience = USUAL,
) -> AsyncIterator[tuple[ElevenLabsHttp, ElevenLabsStandin]]:
    async with ElevenLabsStandin(delay_ms=(20, 30), limit=limit, queue_ms=5) as vendor:
        vendor.scripts[VOICE] = script or Script()
        async with ElevenLabsHttp(
            api_key=key,
            voice_id=voice,
            model_id=model,
            audio_format=audio_format,
            base_url=vendor.url,
            patience=patience,
        ) as speech:
            yield speech, vendor


async def said(speech: ElevenLabsHttp, text: str = LONG) -> bytes:
    async with speech.speak(text) as chunks:
        return b"".join([chunk async for chunk in chunks if isinstance(chunk, bytes)])


async def test_the_audio_is_the_vendors_to_the_last_byte() -> None:
    async with speaking() as (speech, vendor):
        assert await said(speech) == await vendor.bank.audio(LONG, "ulaw_8000")


async def test_the_request_names_model_format_and_key() -> None:
    async with speaking() as (speech, vendor):
        await said(speech)
        (seen,) = vendor.seen

    assert seen.request.path == f"/v1/text-to-speech/{VOICE}/stream"
    assert seen.request.query == {"output_format": "ulaw_8000"}
    assert seen.messages == [{"text": LONG, "model_id": "eleven_flash_v2_5"}]
    assert seen.request.headers["xi-api-key"] == KEY


async def test_a_slow_listener_does_not_hold_the_vendors_slot() -> None:
    async with speaking() as (speech, vendor), speech.speak(LONG) as chunks:
        await anext(aiter(chunks))
        async with asyncio.timeout(5):
            while not vendor.seen[0].finished:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)

        assert vendor.slots.running == 0


async def test_leaving_before_the_first_audio_ends_the_request() -> None:
    async with speaking(Script(hang=True)) as (speech, vendor):
        async with speech.speak(LONG):
            await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            while speech._background._tasks:  # noqa: ASYNC110 - no signal of its own
                await asyncio.sleep(0.005)

        assert not vendor.seen[0].finished


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        (Script(silent=True), "garbage", "no audio"),
        (Script(cut_after=3000), "network", "RemoteProtocolError"),
        (Script(cut_after=3000, broken_chunk=True), "network", "RemoteProtocolError"),
        (Script(stall_after=3000), "timeout", "no audio in time"),
        (Script(stall_after=0), "timeout", "no audio in time"),
        (Script(hang=True), "timeout", "no audio in time"),
        (Script(body=b'{"detail":{"status":"quota_exceeded"}}'), "garbage", "a document"),
        (
            Script(body=b'{"detail":{"status":"quota_exceeded"}}', media_type="application/json"),
            "quota",
            "HTTP 200",
        ),
        (Script(body=b"<html>" + b"x" * 9000, media_type="text/html"), "garbage", "HTTP 200"),
    ],
)
async def test_what_is_no_whole_audio_is_an_error(script: Script, kind: str, message: str) -> None:
    async with speaking(script, patience=IMPATIENT if kind == "timeout" else USUAL) as (speech, _):
        with pytest.raises(ProviderError, match=message) as failure:
            await said(speech)

    assert failure.value.kind == kind


# Every row of the vendor's table, as the SDK hands it on; the words themselves in test_elevenlabs_errors.
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, detail("authentication_error", "invalid_api_key", "invalid_api_key", f"key {KEY}"), "auth"),
        (400, detail("", "", "model_not_found", "m"), "bad_request"),
        (401, detail("", "", "quota_exceeded", "You have 0 credits remaining"), "quota"),
        (402, detail("payment_required", "insufficient_credits", "", "m"), "quota"),
        (
            403,
            detail("authorization_error", "subscription_required", "output_format_not_allowed", "m"),
            "auth",
        ),
        (409, detail("conflict", "", "", "m"), "busy"),
        (
            422,
            {"detail": [{"type": "missing", "loc": ["body", "text"], "msg": "Field required"}]},
            "bad_request",
        ),
        (429, detail("rate_limit_error", "rate_limit_exceeded", "", "m"), "busy"),
        (429, detail("rate_limit_error", "system_busy", "system_busy", "m"), "busy"),
        (500, b"<html>Internal Server Error</html>", "busy"),
        (503, b"", "busy"),
    ],
)
async def test_a_refusal_is_an_error_by_its_body(status: int, body: object, kind: str) -> None:
    async with speaking(Script(refuse=(status, body), refuse_headers={"retry-after": "1"})) as (
        speech,
        vendor,
    ):
        with pytest.raises(ProviderError, match=f"HTTP {status}") as failure:
            await said(speech)

        assert len(vendor.seen) == 1  # the chain decides what is tried again

    assert failure.value.kind == kind
    assert KEY[:8] not in str(failure.value)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"key": "sk_wrong_wrong_wrong"}, "auth"),
        ({"voice": UNKNOWN_VOICE}, "bad_request"),
        ({"model": "gpt-4o"}, "bad_request"),
        ({"audio_format": "pcm_1"}, "bad_request"),
    ],
)
async def test_a_wrong_setting_is_refused_by_the_vendor(settings: dict[str, str], kind: str) -> None:
    async with speaking(**settings) as (speech, _):  # type: ignore[arg-type]
        with pytest.raises(ProviderError) as failure:
            await said(speech)

    assert failure.value.kind == kind


async def test_more_requests_than_the_plan_allows_are_over_limit() -> None:
    async with speaking(Script(stall_after=3000), limit=1) as (speech, _), speech.speak(LONG) as chunks:
        await anext(aiter(chunks))
        with pytest.raises(ProviderError) as failure:
            await said(speech)

    assert failure.value.kind == "over_limit"


async def test_nobody_at_the_address_is_a_network_error() -> None:
    async with speaking() as (_, vendor):
        url = vendor.url
    async with ElevenLabsHttp(
        api_key=KEY, voice_id=VOICE, model_id="m", audio_format="ulaw_8000", base_url=url
    ) as speech:
        for attempt in (said(speech), speech.ping()):
            with pytest.raises(ProviderError) as failure:
                await attempt

            assert failure.value.kind == "network"


@pytest.mark.parametrize(
    ("settings", "kind"),
    [({"key": "sk_wrong_wrong_wrong"}, "auth"), ({"voice": UNKNOWN_VOICE}, "bad_request")],
)
async def test_ping_shows_what_the_vendor_refuses(settings: dict[str, str], kind: str) -> None:
    async with speaking(**settings) as (speech, _):  # type: ignore[arg-type]
        with pytest.raises(ProviderError) as failure:
            await speech.ping()
        speech.warm()  # which says nothing of it

    assert failure.value.kind == kind


async def test_the_vendor_tells_how_many_requests_it_allows_at_once() -> None:
    async with speaking(limit=7) as (speech, _):
        assert speech.maximum_concurrent is None
        await said(speech)

        assert speech.maximum_concurrent == 7


async def test_without_a_limit_of_its_own_the_vendor_allows_what_it_did() -> None:
    async with speaking() as (speech, _):  # whose header says 0
        await said(speech)

    assert speech.maximum_concurrent is None


async def test_how_long_the_vendor_wants_to_be_left_alone_is_handed_on() -> None:
    busy = Script(refuse=(503, b""), refuse_headers={"retry-after": "7"})
    async with speaking(busy) as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech)

    assert failure.value.retry_after_s == 7.0


async def test_a_sentence_that_is_left_at_once_was_never_asked_for() -> None:
    with warnings.catch_warnings(record=True) as warned:
        async with speaking() as (speech, vendor):
            async with speech.speak(LONG):
                pass
            assert await said(speech, "Still here. ")
        gc.collect()

    assert [seen.texts for seen in vendor.seen] == [["Still here. "]]
    assert warned == []
