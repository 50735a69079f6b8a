import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.errors import Failure, ProviderError
from app.speech.connection import Patience
from app.speech.elevenlabs import ElevenLabs
from app.speech.elevenlabs_contexts import ElevenLabsContexts
from app.speech.port import Spoken
from tests.standins.elevenlabs_multi import KEY, VOICE, MultiVoice
from tests.standins.voice_house import Script, until

CALM = Patience(connect_s=20.0, first_audio_s=20.0, gap_s=20.0)
ENDLESS = Script(gap_s=0.01, piece_bytes=80)
LONG = "A long sentence that nobody hears to its end, since something happens before that."
SETTINGS: dict[str, Any] = {"voice_id": VOICE, "model_id": "eleven_flash_v2_5", "audio_format": "ulaw_8000"}


@asynccontextmanager
async def speaking(
    house: MultiVoice, *, prewarm: int = 0, key: str = KEY
) -> AsyncIterator[ElevenLabsContexts]:
    async with ElevenLabsContexts(
        **SETTINGS, api_key=key, base_url=house.url, prewarm=prewarm, patience=CALM
    ) as speech:
        yield speech


async def said(speech: ElevenLabsContexts, text: str = "Hello there.", call: str = "CA1") -> bytes:
    async with speech.speak(text, call=call) as pieces:
        return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])


async def test_it_sounds_like_the_other_sockets_of_the_vendor() -> None:
    contexts = ElevenLabsContexts(**SETTINGS, api_key=KEY)
    single = ElevenLabs(**SETTINGS, api_key=KEY)

    assert (contexts.name, contexts.fingerprint) == (single.name, single.fingerprint)
    assert contexts.aligned
    assert contexts.maximum_concurrent is None


async def test_it_tells_how_far_it_has_come() -> None:
    async with MultiVoice() as house, speaking(house) as speech, speech.speak("Yes, I do.") as pieces:
        places = [piece.characters async for piece in pieces if isinstance(piece, Spoken)]

    assert places == [3, 4, 6, 9, 10]


async def test_sentences_of_one_call_share_a_socket_and_those_of_two_do_not() -> None:
    async with MultiVoice() as house, speaking(house) as speech:
        for call in ("CA1", "CA2", "CA1", "CA2"):
            await said(speech, f"For {call}.", call)

        assert [seen.texts for seen in house.seen] == [["For CA1."] * 2, ["For CA2."] * 2]


async def test_two_sentences_that_begin_together_open_one_socket() -> None:
    async with MultiVoice() as house, speaking(house) as speech:
        await asyncio.gather(said(speech, "One."), said(speech, "Two."))

        assert len(house.seen) == 1


async def test_interrupting_keeps_the_socket_and_the_next_sentence_is_clean() -> None:
    async with MultiVoice(ENDLESS) as house, speaking(house) as speech:
        async with speech.speak(LONG, call="CA1") as pieces:
            assert await anext(aiter(pieces))
        after = await said(speech)

        assert after == await house.bank.audio("Hello there.", "ulaw_8000")
        assert len(house.seen) == 1
        assert house.seen[0].contexts[0].closed_at is not None


async def test_rapid_interruptions_never_open_too_many_contexts() -> None:
    async with MultiVoice(*[Script(delay_s=0.1)] * 12) as house, speaking(house) as speech:
        for _ in range(12):
            task = asyncio.create_task(said(speech, LONG))
            await asyncio.sleep(0.02)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        assert await said(speech)
        assert all(seen.most_open <= 4 for seen in house.seen)


async def test_a_sentence_that_finds_no_place_takes_a_socket_of_its_own() -> None:
    async with MultiVoice(*[ENDLESS] * 4) as house, speaking(house) as speech:
        tasks = [asyncio.create_task(said(speech, LONG * 8)) for _ in range(4)]
        await until(lambda: house.generations.running == 4)
        assert await said(speech)
        assert [len(seen.contexts) for seen in house.seen] == [4, 1]
        await until(lambda: house.open_sockets == 1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_sentence_of_nobodys_leaves_no_socket_open() -> None:
    async with MultiVoice() as house, speaking(house) as speech:
        await said(speech, call="")

        await until(lambda: house.open_sockets == 0)


async def test_a_forgotten_call_is_closed_with_a_word() -> None:
    async with MultiVoice() as house, speaking(house) as speech:
        await said(speech)
        assert house.open_sockets == 1
        speech.forget("CA1")

        await until(lambda: house.open_sockets == 0)
        assert house.seen[0].said_goodbye


async def test_a_call_that_is_forgotten_while_its_socket_opens_keeps_none() -> None:
    async with MultiVoice() as house, speaking(house) as speech:
        task = asyncio.create_task(said(speech))
        await asyncio.sleep(0)
        speech.forget("CA1")
        await task

        await until(lambda: house.seen and house.open_sockets == 0)


async def test_a_warm_socket_becomes_a_calls_own() -> None:
    async with MultiVoice() as house, speaking(house, prewarm=1) as speech:
        speech.warm()
        speech.warm()
        await until(lambda: len(house.seen) == 1)
        await asyncio.sleep(0.05)
        await said(speech)
        await said(speech)

        assert house.seen[0].texts == ["Hello there."] * 2
        await until(lambda: len(house.seen) == 2)  # another is opened for the next call


async def test_when_the_socket_dies_the_next_sentence_opens_a_new_one() -> None:
    async with MultiVoice(Script(cut_after=1001)) as house, speaking(house) as speech:
        with pytest.raises(ProviderError) as failure:
            await said(speech)
        assert failure.value.kind is Failure.NETWORK

        assert await said(speech)
        assert len(house.seen) == 2


async def test_a_kept_socket_that_dies_at_the_text_is_replaced_without_a_word() -> None:
    async with MultiVoice(Script(), Script(close=(1000, ""))) as house, speaking(house) as speech:
        await said(speech)

        assert await said(speech) == await house.bank.audio("Hello there.", "ulaw_8000")
        assert len(house.seen) == 2


async def test_a_sentence_that_the_vendor_ended_unsaid_is_said_once_more() -> None:
    async with MultiVoice(Script(silent=True)) as house, speaking(house) as speech:
        assert await said(speech) == await house.bank.audio("Hello there.", "ulaw_8000")

        assert house.seen[0].texts == ["Hello there."] * 2


async def test_an_account_without_credits_is_a_failure_and_not_silence() -> None:
    async with MultiVoice() as house, speaking(house) as speech:
        house.script = Script(silent=True)
        with pytest.raises(ProviderError) as failure:
            await said(speech)

        assert failure.value.kind is Failure.GARBAGE
        assert len(house.seen[0].contexts) == 2


async def test_the_workspaces_limit_is_passed_on() -> None:
    async with MultiVoice(headers={"maximum-concurrent-requests": "7"}) as house, speaking(house) as speech:
        await said(speech)

        assert speech.maximum_concurrent == 7


async def test_warming_that_fails_harms_nobody() -> None:
    async with MultiVoice() as house, speaking(house, prewarm=1) as speech:
        house.handshake = Script(refuse=(503, b""))
        speech.warm()
        await until(lambda: house.connections == 1)
        await asyncio.sleep(0.05)


async def test_leaving_the_provider_leaves_no_socket_open() -> None:
    async with MultiVoice() as house:
        async with speaking(house, prewarm=2) as speech:
            speech.warm()
            await said(speech)

        await until(lambda: house.open_sockets == 0)
