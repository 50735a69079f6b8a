import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors import Failure, ProviderError
from app.speech import deepgram
from app.speech.connection import Patience
from app.speech.deepgram import DeepgramSpeech
from tests.standins.deepgram_voice import KEY, MODEL, DeepgramVoice
from tests.standins.voice_house import Script, until

CALM = Patience(connect_s=20.0, first_audio_s=20.0, gap_s=20.0)
ENDLESS = Script(gap_s=0.01, piece_bytes=80)


@asynccontextmanager
async def speaking(house: DeepgramVoice, *, prewarm: int = 0) -> AsyncIterator[DeepgramSpeech]:
    async with DeepgramSpeech(api_key=KEY, base_url=house.url, prewarm=prewarm, patience=CALM) as speech:
        yield speech


async def said(speech: DeepgramSpeech, text: str = "Hello there.", call: str = "") -> bytes:
    async with speech.speak(text, call=call) as pieces:
        return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])


async def test_the_audio_is_the_vendors_to_the_last_byte() -> None:
    async with DeepgramVoice() as house, speaking(house) as speech:
        assert await said(speech) == await house.bank.audio("Hello there.", "ulaw_8000")


def test_it_tells_what_shapes_its_sound() -> None:
    speech = DeepgramSpeech(api_key=KEY, model="aura-2-zeus-en")

    assert (speech.name, speech.audio_format, speech.aligned) == ("deepgram", "ulaw_8000", False)
    assert speech.fingerprint != DeepgramSpeech(api_key=KEY).fingerprint
    assert KEY not in speech.fingerprint


async def test_sentences_of_one_call_share_a_socket_and_those_of_two_do_not() -> None:
    async with DeepgramVoice() as house, speaking(house) as speech:
        for call in ("CA1", "CA2", "CA1", "CA2"):
            await said(speech, f"For {call}.", call)

        assert [seen.texts for seen in house.seen] == [["For CA1."] * 2, ["For CA2."] * 2]


async def test_a_sentence_of_nobodys_leaves_no_socket_open() -> None:
    async with DeepgramVoice() as house, speaking(house) as speech:
        await said(speech)

        await until(lambda: house.open_sockets == 0)


async def test_a_forgotten_call_leaves_no_socket_open() -> None:
    async with DeepgramVoice() as house, speaking(house) as speech:
        await said(speech, call="CA1")
        assert house.open_sockets == 1
        speech.forget("CA1")

        await until(lambda: house.open_sockets == 0)
        assert house.seen[0].orders[-1] == "Close"


async def test_a_socket_that_nobody_uses_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepgram, "IDLE_S", 0.05)
    async with DeepgramVoice() as house, speaking(house) as speech:
        await said(speech, call="CA1")

        await until(lambda: house.open_sockets == 0)


async def test_interrupting_clears_before_it_closes_so_that_the_vendor_stops() -> None:
    async with DeepgramVoice(ENDLESS) as house, speaking(house) as speech:
        async with speech.speak("A long sentence that nobody hears to its end.", call="CA1") as pieces:
            assert await anext(aiter(pieces))

        await until(lambda: house.generations.cancelled == 1 and house.open_sockets == 0)
        assert house.seen[0].orders == ["Speak", "Flush", "Clear", "Close"]
        assert house.generations.finished == 0


async def test_after_an_interruption_a_new_socket_is_opened_ahead() -> None:
    async with DeepgramVoice(ENDLESS) as house, speaking(house, prewarm=1) as speech:
        async with speech.speak("A long sentence that nobody hears to its end.", call="CA1") as pieces:
            assert await anext(aiter(pieces))
        await until(lambda: len(house.seen) == 2)
        await asyncio.sleep(0.05)
        await said(speech, call="CA1")

        assert house.seen[1].texts == ["Hello there."]


async def test_a_cancelled_sentence_stops_the_vendor() -> None:
    async with DeepgramVoice(ENDLESS) as house, speaking(house) as speech:
        task = asyncio.create_task(said(speech, "A long sentence that is cancelled."))
        await until(lambda: house.generations.running == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        await until(lambda: house.generations.cancelled == 1)


async def test_a_warm_socket_is_used_once_and_by_one() -> None:
    async with DeepgramVoice() as house, speaking(house, prewarm=2) as speech:
        speech.warm()
        speech.warm()
        await until(lambda: len(house.seen) == 2)
        await asyncio.sleep(0.05)
        await asyncio.gather(said(speech, "One.", "CA1"), said(speech, "Two.", "CA2"))

        assert sorted(seen.texts for seen in house.seen) == [["One."], ["Two."]]


async def test_a_socket_that_died_while_kept_is_replaced_without_a_word() -> None:
    async with DeepgramVoice(idle_s=0.05) as house, speaking(house) as speech:
        await said(speech, call="CA1")
        await until(lambda: house.open_sockets == 0)

        assert await said(speech, call="CA1")
        assert len(house.seen) == 2


async def test_a_kept_socket_that_dies_at_the_text_is_replaced_without_a_word() -> None:
    async with DeepgramVoice(Script(), Script(close=(1011, "NET-0001"))) as house, speaking(house) as speech:
        await said(speech, call="CA1")

        assert await said(speech, call="CA1") == await house.bank.audio("Hello there.", "ulaw_8000")
        assert len(house.seen) == 2


async def test_what_broke_after_its_first_audio_is_not_said_twice() -> None:
    scripts = (Script(), Script(cut_after=2002))
    async with DeepgramVoice(*scripts) as house, speaking(house) as speech:
        await said(speech, call="CA1")
        with pytest.raises(ProviderError) as failure:
            await said(speech, "A sentence that breaks in the middle.", "CA1")

        assert failure.value.kind is Failure.NETWORK
        assert len(house.seen) == 1


async def test_before_the_vendors_limits_another_socket_is_opened() -> None:
    async with DeepgramVoice(flushes=20) as house, speaking(house) as speech:
        for _ in range(21):
            await said(speech, "Yes.", "CA1")

        assert [len(seen.texts) for seen in house.seen] == [20, 1]


async def test_too_many_sockets_are_over_the_limit() -> None:
    async with (
        DeepgramVoice(ENDLESS, limit=1) as house,
        speaking(house) as speech,
        speech.speak("A long sentence.", call="CA1") as pieces,
    ):
        assert await anext(aiter(pieces))
        with pytest.raises(ProviderError) as failure:
            await said(speech, call="CA2")

    assert failure.value.kind is Failure.OVER_LIMIT
    assert failure.value.provider == "deepgram"


async def test_warming_that_fails_harms_nobody() -> None:
    async with DeepgramVoice(limit=0) as house, speaking(house, prewarm=1) as speech:
        speech.warm()
        await until(lambda: house.connections == 1)


async def test_a_sentence_can_outlive_its_provider() -> None:
    async with DeepgramVoice(ENDLESS) as house:
        async with speaking(house) as speech:
            sentence = speech.speak("A long sentence.")
            pieces = await sentence.__aenter__()
            assert await anext(aiter(pieces))
        await sentence.__aexit__(None, None, None)

        await until(lambda: house.open_sockets == 0)


def test_the_default_voice_is_one_of_the_vendors() -> None:
    assert deepgram.MODEL == MODEL
