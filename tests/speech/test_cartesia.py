import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.errors import ProviderError
from app.speech.cartesia import MODEL, Cartesia
from app.speech.connection import Patience
from app.speech.port import Spoken
from tests.standins.cartesia import KEY, VOICE, CartesiaStandin
from tests.standins.cartesia_script import Script

LONG = "This sentence is long enough to come in several messages, one after the other. "
QUICK = Patience(connect_s=0.4, first_audio_s=0.4, gap_s=0.3)


@asynccontextmanager
async def speaking(vendor: CartesiaStandin, **settings: Any) -> AsyncIterator[Cartesia]:
    async with Cartesia(**{"api_key": KEY, "base_url": vendor.url} | settings) as speech:
        yield speech


async def said(speech: Cartesia, text: str = LONG) -> bytes:
    async with speech.speak(text) as pieces:
        return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])


async def failure_of(speech: Cartesia, text: str = LONG) -> ProviderError:
    with pytest.raises(ProviderError) as failure:
        await said(speech, text)
    return failure.value


async def test_the_request_is_the_documented_one() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor) as speech:
        await said(speech)

    message = vendor.seen[0].message
    assert message.pop("context_id")
    assert message == {
        "model_id": MODEL,
        "transcript": LONG.strip(),
        "voice": {"mode": "id", "id": VOICE},
        "language": "en",
        "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
        "add_timestamps": True,
        "use_normalized_timestamps": False,
        "continue": False,
        "max_buffer_delay_ms": 0,
    }


async def test_all_sentences_of_all_calls_are_said_on_one_socket() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(said(speech, f"Caller {number}.")) for number in range(5)]

        for number, task in enumerate(tasks):
            assert task.result() == await vendor.bank.audio(f"Caller {number}.", "ulaw_8000")
        assert vendor.accepted == 1
        assert len({seen.message["context_id"] for seen in vendor.seen}) == 6


async def test_a_cold_start_of_many_opens_one_socket() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor) as speech:
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(said(speech, f"Caller {number}."))

        assert vendor.accepted == 1


async def test_an_idle_socket_that_expired_costs_one_reconnect_and_no_failure() -> None:
    async with CartesiaStandin(idle_s=0.1) as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        await asyncio.sleep(0.3)
        with capture_logs() as events:
            assert await said(speech) == await vendor.bank.audio(LONG, "ulaw_8000")

    assert [event for event in events if event["log_level"] in ("warning", "error")] == []


async def test_a_socket_that_dies_before_the_first_audio_is_replaced_at_once() -> None:
    async with CartesiaStandin(delay_ms=(300, 300)) as vendor, speaking(vendor) as speech:
        speech.warm()
        async with asyncio.timeout(10):
            while not vendor.open_sockets:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        sentence = asyncio.create_task(said(speech))
        async with asyncio.timeout(10):
            while not vendor.seen:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)
        vendor.drop_connections()

        assert await sentence == await vendor.bank.audio(LONG, "ulaw_8000")
        assert vendor.accepted == 2


async def test_a_cut_in_mid_sentence_is_not_asked_for_again() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        vendor.scripts[VOICE] = Script(cut_after=2000)
        failure = await failure_of(speech)

    assert failure.kind == "network"
    assert [seen.text for seen in vendor.seen] == ["One.", LONG.strip()]


async def test_a_fault_of_a_kept_socket_that_is_no_expiry_is_not_repeated() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        vendor.scripts[VOICE] = Script(error=(402, "quota_exceeded", "no credits"))

        assert (await failure_of(speech)).kind == "quota"
        assert len(vendor.seen) == 2


async def test_leaving_before_anything_was_generated_halts_it() -> None:
    async with CartesiaStandin(delay_ms=(300, 300)) as vendor, speaking(vendor, patience=QUICK) as speech:
        task = asyncio.create_task(said(speech))
        async with asyncio.timeout(10):
            while not vendor.seen:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(10):
            while vendor.slots.running or not vendor.seen[0].cancelled:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)

    assert not vendor.seen[0].begun


async def test_after_a_silence_the_next_sentence_has_another_socket() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor, patience=Patience(gap_s=1.5)) as speech:
        vendor.scripts[VOICE] = Script(stall_after=500)
        failure = await failure_of(speech)
        vendor.scripts.pop(VOICE)

        assert failure.kind == "timeout"
        assert await said(speech)
        assert vendor.accepted == 2


async def test_a_vendor_that_does_not_answer_the_handshake_is_left_in_time() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor, patience=QUICK) as speech:
        vendor.hang = True

        assert (await failure_of(speech)).kind == "timeout"


async def test_documents_in_place_of_audio_are_refused() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(body=b'{"error":"quota"}' * 80)

        assert (await failure_of(speech)).kind == "garbage"


async def test_a_refused_key_is_told_without_it_by_a_sentence_and_by_ping() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor, api_key="sk_car_wrong_wrong") as speech:
        by_sentence = await failure_of(speech)
        with pytest.raises(ProviderError) as by_ping:
            await speech.ping()

    for failure in (by_sentence, by_ping.value):
        assert failure.kind == "auth"
        assert "wrong" not in str(failure)


async def test_ping_shows_a_key_that_was_withdrawn_though_a_socket_is_open() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        vendor.keys = ()

        with pytest.raises(ProviderError) as failure:
            await speech.ping()
    assert failure.value.kind == "auth"


async def test_a_vendor_that_tells_no_words_is_believed_about_the_end() -> None:
    async with CartesiaStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(words=False)
        async with speech.speak(LONG) as pieces:
            claims = [piece async for piece in pieces if isinstance(piece, Spoken)]

    assert [claim.characters for claim in claims] == [len(LONG)]


async def test_nothing_is_claimed_when_it_was_not_asked_for() -> None:
    async with (
        CartesiaStandin() as vendor,
        speaking(vendor, aligned=False) as speech,
        speech.speak(LONG) as pieces,
    ):
        kinds = {type(piece) async for piece in pieces}

    assert kinds == {bytes}
    assert vendor.seen[0].message["add_timestamps"] is False


async def test_a_sentence_that_outlives_its_provider_ends_in_a_failure() -> None:
    async with CartesiaStandin() as vendor:
        vendor.scripts[VOICE] = Script(stall_after=2000)
        async with speaking(vendor) as speech:
            sentence = speech.speak(LONG)
            pieces = aiter(await sentence.__aenter__())
            await anext(pieces)
        with pytest.raises(ProviderError):
            async for _ in pieces:
                pass
        await sentence.__aexit__(None, None, None)
