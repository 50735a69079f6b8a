import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from app.errors import Failure, ProviderError
from app.speech.connection import Patience
from app.speech.openai import AUDIO_FORMAT, MODEL, VOICE, OpenAiSpeech
from app.speech.render import render
from tests.standins.openai_voice import (
    BAD_KEY,
    KEY,
    NO_CREDIT,
    NO_MODEL,
    OVERLOADED,
    TOO_FAST,
    OpenAiVoice,
)
from tests.standins.voice_house import Script, until

CALM = Patience(connect_s=20.0, first_audio_s=20.0, gap_s=20.0)
IMPATIENT = Patience(connect_s=0.1, first_audio_s=0.3, gap_s=0.2)
ENDLESS = Script(gap_s=0.01, piece_bytes=301)
LONG = "A long sentence that nobody hears to its end, since something happens before that."


@asynccontextmanager
async def speaking(
    house: OpenAiVoice, patience: Patience = CALM, **settings: str
) -> AsyncIterator[OpenAiSpeech]:
    given = {"api_key": KEY, "base_url": house.base_url, **settings}
    async with OpenAiSpeech(**given, patience=patience) as speech:
        yield speech


async def said(speech: OpenAiSpeech, text: str = "Hello there.") -> bytes:
    async with speech.speak(text) as pieces:
        return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])


async def failure_of(script: Script, patience: Patience = CALM) -> ProviderError:
    async with OpenAiVoice(script) as house, speaking(house, patience) as speech:
        with pytest.raises(ProviderError) as failure:
            await said(speech)
    return failure.value


async def test_the_audio_is_the_vendors_to_the_last_byte() -> None:
    async with OpenAiVoice() as house, speaking(house) as speech:
        assert await said(speech) == await house.bank.audio("Hello there.", AUDIO_FORMAT)


async def test_the_request_names_voice_model_and_raw_samples() -> None:
    async with OpenAiVoice() as house, speaking(house) as speech:
        await said(speech)

    assert house.seen[0].body == {
        "input": "Hello there.",
        "model": MODEL,
        "voice": VOICE,
        "response_format": "pcm",
    }


async def test_instructions_are_sent_when_there_are_any() -> None:
    async with OpenAiVoice() as house, speaking(house, instructions="Cheerful.", voice="ash") as speech:
        await said(speech)

    assert (house.seen[0].body["instructions"], house.seen[0].body["voice"]) == ("Cheerful.", "ash")


def test_it_tells_what_shapes_its_sound() -> None:
    plain = OpenAiSpeech(api_key=KEY)

    assert (plain.name, plain.audio_format, plain.aligned) == ("openai", "pcm_24000", False)
    others = [
        OpenAiSpeech(api_key=KEY, voice="ash"),
        OpenAiSpeech(api_key=KEY, model="tts-1"),
        OpenAiSpeech(api_key=KEY, instructions="Cheerful."),
        OpenAiSpeech(api_key=KEY, base_url="http://127.0.0.1:8880/v1"),
    ]
    assert len({speech.fingerprint for speech in [plain, *others]}) == 5
    assert KEY not in plain.fingerprint


async def test_what_belongs_to_another_endpoint_stays_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://secret.example")
    async with OpenAiVoice() as house, speaking(house) as speech:
        await said(speech)
        headers = house.seen[0].request.headers

    assert headers["authorization"] == f"Bearer {KEY}"
    assert "openai-organization" not in headers
    assert "openai-project" not in headers


async def test_sentences_share_a_connection() -> None:
    async with OpenAiVoice() as house, speaking(house) as speech:
        for _ in range(3):
            await said(speech)

        assert house.connections == 1


async def test_warming_opens_the_connection_that_the_sentence_takes() -> None:
    async with OpenAiVoice() as house, speaking(house) as speech:
        speech.warm()
        await until(lambda: house.asked_for_models == 1)
        await asyncio.sleep(0.1)
        await said(speech)

        assert house.connections == 1


async def test_warming_that_fails_harms_nobody() -> None:
    async with OpenAiVoice() as house, speaking(house, api_key="sk-wrong-key-0000") as speech:
        speech.warm()
        await until(lambda: house.connections == 1)
        await asyncio.sleep(0.05)


async def test_interrupting_closes_the_connection_and_so_ends_the_generation() -> None:
    async with OpenAiVoice(ENDLESS) as house, speaking(house) as speech:
        async with speech.speak(LONG) as pieces:
            assert await anext(aiter(pieces))

        await until(lambda: house.generations.cancelled == 1)
        assert house.seen[0].gone.is_set()
        assert house.generations.finished == 0


async def test_leaving_before_the_first_audio_ends_the_generation() -> None:
    async with OpenAiVoice(Script(hang=True)) as house, speaking(house) as speech:
        async with speech.speak(LONG):
            await until(lambda: house.seen)

        await until(house.seen[0].gone.is_set)


async def test_leaving_at_once_harms_nobody() -> None:
    async with OpenAiVoice() as house, speaking(house) as speech:
        async with speech.speak(LONG):
            pass

        assert await said(speech)
        assert len(house.seen) == 1


async def test_a_slow_listener_does_not_hold_the_vendor_up() -> None:
    async with OpenAiVoice() as house, speaking(house) as speech, speech.speak(LONG * 4) as pieces:
        assert await anext(aiter(pieces))

        await until(lambda: house.generations.finished == 1)
        assert len([piece async for piece in pieces]) > 2


@pytest.mark.parametrize("header", [{}, {"retry-after": "20"}], ids=["bare", "with retry-after"])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, BAD_KEY, Failure.AUTH),
        (404, NO_MODEL, Failure.BAD_REQUEST),
        (429, TOO_FAST, Failure.BUSY),
        (429, NO_CREDIT, Failure.QUOTA),
        (429, b"slow down", Failure.BUSY),
        (500, OVERLOADED, Failure.BUSY),
        (503, b"<html>", Failure.BUSY),
        (400, {"error": "a plain text"}, Failure.BAD_REQUEST),
        (422, {"detail": [{"loc": ["body", "voice"]}]}, Failure.BAD_REQUEST),
    ],
)
async def test_a_refusal_is_told_by_its_code_then_its_status(
    status: int, body: object, kind: Failure, header: dict[str, str]
) -> None:
    failure = await failure_of(Script(refuse=(status, body), refuse_headers=header))

    assert (failure.kind, failure.provider) == (kind, "openai")
    assert failure.message.startswith(f"HTTP {status}")
    assert failure.retry_after_s == (20.0 if header else 0.0)
    assert KEY[:8] not in str(failure)


async def test_a_refused_sentence_is_asked_for_once_only() -> None:
    async with OpenAiVoice(Script(refuse=(500, OVERLOADED))) as house, speaking(house) as speech:
        with pytest.raises(ProviderError):
            await said(speech)

        assert len(house.seen) == 1


@pytest.mark.parametrize(
    "script", [Script(stall_after=0), Script(stall_after=4004), Script(hang=True)], ids=repr
)
async def test_silence_is_a_timeout(script: Script) -> None:
    assert (await failure_of(script, IMPATIENT)).kind is Failure.TIMEOUT


async def test_a_connection_that_breaks_is_a_failure_of_the_network() -> None:
    assert (await failure_of(Script(cut_after=4004))).kind is Failure.NETWORK
    async with OpenAiSpeech(api_key=KEY, base_url="http://127.0.0.1:9/v1", patience=CALM) as speech:
        with pytest.raises(ProviderError) as failure:
            await said(speech)
    assert failure.value.kind is Failure.NETWORK


@pytest.mark.parametrize("media_type", ["application/json", "text/html; charset=utf-8"])
async def test_a_document_is_told_by_its_type(media_type: str) -> None:
    failure = await failure_of(Script(media_type=media_type))

    assert failure.kind is Failure.GARBAGE


async def test_no_header_of_a_wav_is_ever_played() -> None:
    """Some compatible servers send WAV whatever they are asked for."""
    async with OpenAiVoice() as house, speaking(house) as speech:
        raw = await house.bank.audio("Hello there.", AUDIO_FORMAT)
        size = len(raw).to_bytes(4, "little")
        fmt = bytes.fromhex("10000000 0100 0100 c05d0000 80bb0000 0200 1000")
        wav = b"RIFF" + (len(raw) + 36).to_bytes(4, "little") + b"WAVEfmt " + fmt + b"data" + size + raw
        house.scripts += [Script(body=wav), Script()]
        async with aclosing(render(speech, "As WAV.")) as frames:
            as_wav = b"".join([frame async for frame in frames])
        async with aclosing(render(speech, "Hello there.")) as frames:
            as_samples = b"".join([frame async for frame in frames])

    assert as_wav == as_samples


async def test_a_server_that_wants_no_key_gets_a_word_in_its_place() -> None:
    async with OpenAiVoice() as house, speaking(house, api_key="") as speech:
        with pytest.raises(ProviderError) as failure:
            await speech.ping()

    assert failure.value.kind is Failure.AUTH
