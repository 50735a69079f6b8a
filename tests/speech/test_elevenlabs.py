import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from structlog.testing import capture_logs

from app.errors import ProviderError
from app.speech.elevenlabs import ElevenLabs
from app.speech.port import Spoken
from app.speech.words import is_boundary, spans
from tests.standins.elevenlabs import KEY, UNKNOWN_VOICE, VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script
from tests.standins.spelled import SpelledBank, read

LONG = "This sentence is long enough to come in several messages, one after the other. "


@asynccontextmanager
async def speaking(
    vendor: ElevenLabsStandin, *, prewarm: int = 0, voice: str = VOICE, key: str = KEY
) -> AsyncIterator[ElevenLabs]:
    async with ElevenLabs(
        api_key=key,
        voice_id=voice,
        model_id="eleven_flash_v2_5",
        audio_format="ulaw_8000",
        base_url=vendor.url,
        prewarm=prewarm,
    ) as speech:
        yield speech


def quick(**settings: float) -> ElevenLabsStandin:
    return ElevenLabsStandin(delay_ms=(5, 10), idle_s=settings.get("idle_s"))


async def said(speech: ElevenLabs, text: str = LONG) -> bytes:
    async with speech.speak(text) as chunks:
        return b"".join([chunk async for chunk in chunks if isinstance(chunk, bytes)])


async def sockets_are(vendor: ElevenLabsStandin, count: int) -> None:
    async with asyncio.timeout(5):
        while vendor.open_sockets != count:  # noqa: ASYNC110 - the vendor does not signal
            await asyncio.sleep(0.005)


async def warmed(speech: ElevenLabs) -> None:
    speech.warm()
    async with asyncio.timeout(5):
        while not len(speech._warm):  # noqa: ASYNC110 - what is ready shows by being used
            await asyncio.sleep(0.005)


async def test_every_sentence_has_a_socket_of_its_own() -> None:
    async with quick() as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        await said(speech, "Two.")

    assert [seen.texts for seen in vendor.seen] == [["One. "], ["Two. "]]


async def test_a_warm_socket_speaks_the_next_sentence_and_is_replaced() -> None:
    async with quick() as vendor, speaking(vendor, prewarm=1) as speech:
        await warmed(speech)

        await said(speech, "One.")

        assert vendor.seen[0].texts == ["One. "]
        assert [seen.texts for seen in vendor.seen[1:]] == [[]]


async def test_two_callers_never_share_a_warm_socket() -> None:
    async with quick() as vendor, speaking(vendor, prewarm=1) as speech:
        await warmed(speech)

        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(said(speech, f"Caller {number}."))

        spoken = [seen.texts for seen in vendor.seen if seen.texts]
    assert sorted(spoken) == [[f"Caller {number}. "] for number in range(5)]


async def test_a_warm_socket_that_died_unseen_costs_one_reconnect_and_no_failure() -> None:
    async with quick(idle_s=0.1) as vendor, speaking(vendor, prewarm=1) as speech:
        await warmed(speech)
        await asyncio.sleep(0.3)  # the vendor has sent its error frame, and not closed yet

        with capture_logs() as events:
            assert await said(speech) == await vendor.bank.audio(LONG, "ulaw_8000")

    assert [event for event in events if event["log_level"] in ("warning", "error")] == []


async def test_a_fault_of_a_warm_socket_that_is_no_expiry_is_not_repeated() -> None:
    async with quick() as vendor, speaking(vendor, prewarm=1) as speech:
        vendor.scripts[VOICE] = Script(error="quota_exceeded")
        await warmed(speech)

        with pytest.raises(ProviderError) as failure:
            await said(speech)

    assert failure.value.kind == "quota"
    assert len([seen for seen in vendor.seen if seen.texts]) == 1


async def test_a_cut_in_mid_sentence_is_not_repeated_on_a_fresh_socket() -> None:
    async with quick() as vendor, speaking(vendor, prewarm=1) as speech:
        vendor.scripts[VOICE] = Script(cut_after=4000)
        await warmed(speech)

        with pytest.raises(ProviderError) as failure:
            await said(speech)

    assert failure.value.kind == "network"
    assert len([seen for seen in vendor.seen if seen.texts]) == 1


async def test_leaving_in_mid_sentence_closes_the_vendors_socket() -> None:
    async with quick() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(stall_after=4000)
        async with speech.speak(LONG) as chunks:
            await anext(aiter(chunks))
        await sockets_are(vendor, 0)

    assert vendor.seen[0].gone


async def test_the_end_of_a_sentence_does_not_wait_for_the_close() -> None:
    async with quick() as vendor, speaking(vendor) as speech:
        await said(speech)

        assert vendor.open_sockets == 1
        await sockets_are(vendor, 0)


async def test_a_final_message_without_audio_is_a_failure() -> None:
    async with quick() as vendor, speaking(vendor, voice="fault-silent") as speech:
        with pytest.raises(ProviderError, match="no audio") as failure:
            await said(speech)

    assert failure.value.kind == "garbage"


async def test_documents_in_place_of_audio_are_refused() -> None:
    async with quick() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(body=b'{"detail":{"status":"quota_exceeded"}}' * 20)

        with pytest.raises(ProviderError, match="a document") as failure:
            await said(speech)

    assert failure.value.kind == "garbage"


async def test_ping_shows_a_refused_key() -> None:
    async with quick() as vendor, speaking(vendor, key="sk_wrong_wrong_wrong") as speech:
        with pytest.raises(ProviderError) as failure:
            await speech.ping()

    assert failure.value.kind == "auth"


async def test_ping_costs_no_generation() -> None:
    async with quick() as vendor, speaking(vendor) as speech:
        await speech.ping()

        assert vendor.slots.peak == 0


async def test_an_unknown_voice_is_a_bad_request() -> None:
    async with quick() as vendor, speaking(vendor, voice=UNKNOWN_VOICE) as speech:
        with pytest.raises(ProviderError, match="nobody does not exist") as failure:
            await said(speech)

    assert failure.value.kind == "bad_request"


async def test_a_sentence_that_outlives_its_provider_still_closes_its_socket() -> None:
    async with quick() as vendor:
        vendor.scripts[VOICE] = Script(stall_after=4000)
        async with speaking(vendor) as speech:
            sentence = speech.speak(LONG)
            await anext(aiter(await sentence.__aenter__()))
        await sentence.__aexit__(None, None, None)

        await sockets_are(vendor, 0)


async def test_it_tells_its_place_in_the_text_with_the_audio() -> None:
    text = "One two three."
    async with (
        ElevenLabsStandin(delay_ms=(5, 10), bank=SpelledBank()) as vendor,
        speaking(vendor) as speech,
        speech.speak(text) as chunks,
    ):
        pieces = [piece async for piece in chunks]

    places = [piece for piece in pieces if isinstance(piece, Spoken)]
    assert speech.aligned
    assert [(text[: place.characters], round(place.until_ms)) for place in places] == [
        ("One", 3 * 40),
        ("One two", 7 * 40),
        ("One two three", 13 * 40),
        ("One two three.", 14 * 40),
    ]
    assert read(b"".join(piece for piece in pieces if isinstance(piece, bytes)))[0].text == text + " "


@pytest.mark.parametrize("timed", ["first", "each"])
@pytest.mark.parametrize("audio_format", ["mp3_44100_128", "pcm_16000", "ulaw_8000"])
async def test_its_places_lie_within_its_audio_in_every_format(
    audio_format: str, timed: Literal["first", "each"]
) -> None:
    async with quick() as vendor:
        vendor.scripts[VOICE] = Script(timed=timed)
        async with (
            ElevenLabs(
                api_key=KEY,
                voice_id=VOICE,
                model_id="eleven_flash_v2_5",
                audio_format=audio_format,
                base_url=vendor.url,
                prewarm=0,
            ) as speech,
            speech.speak(LONG) as chunks,
        ):
            places = [piece async for piece in chunks if isinstance(piece, Spoken)]
        spoken_ms = len(await vendor.bank.audio(LONG, "ulaw_8000")) / 8

    words = [place.characters for place in places if is_boundary(LONG, place.characters)]
    assert words == [end for _, end in spans(LONG)]
    assert places[-1].until_ms == pytest.approx(spoken_ms, rel=0.1)
