"""The official OpenAI client against a whole hotline, over real sockets."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import av
import httpx
import openai
import pytest

from app.audio.encoder import MEDIA_TYPES
from app.calls.means import Means
from app.errors import Failure, ProviderError
from app.main import assemble, parts_of
from app.settings import Settings
from app.speech.chain import Chain
from tests.canaries import ADMIN_TOKEN
from tests.standins.server import address, loopback, serving
from tests.standins.voice import ToneVoice

TEXT = "One sentence is here. A second one follows it. The third is the last."
PATH = "/v1/audio/speech"


@asynccontextmanager
async def speaking(*voices: ToneVoice, **environ: str) -> AsyncIterator[str]:
    """A hotline that speaks with these voices."""
    listener = loopback()
    settings = Settings.load(
        {
            "PUBLIC_URL": address(listener),
            "ADMIN_TOKEN": ADMIN_TOKEN,
            "HEARING_PROVIDERS": "none",
            **environ,
        }
    )
    parts = parts_of(settings)
    means: Means = replace(parts.means, voice=Chain(list(voices)))
    async with serving(assemble(replace(parts, means=means)), listener) as url:
        yield url


def client(url: str, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        **{"base_url": f"{url}/v1", "api_key": ADMIN_TOKEN, "max_retries": 0, **options}
    )


def order(**fields: Any) -> dict[str, Any]:
    return {"model": "tts-1", "voice": "alloy", "input": TEXT, **fields}


async def status(url: str) -> dict[str, Any]:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}) as http:
        page: dict[str, Any] = (await http.get(f"{url}/status")).raise_for_status().json()
    return page


async def answered(url: str, count: int) -> list[dict[str, Any]]:
    """The requests in /status once there are `count`."""
    async with asyncio.timeout(20):
        while True:
            recent: list[dict[str, Any]] = (await status(url))["speech_api"]["recent"]
            if len(recent) >= count:
                return recent
            await asyncio.sleep(0.02)


def length_s(encoded: bytes) -> float:
    with av.open(io.BytesIO(encoded), "r") as container:
        return sum((frame.samples / frame.sample_rate for frame in container.decode(audio=0)), 0.0)


@pytest.mark.parametrize("form", ["mp3", "wav", "opus", "aac", "flac"])
async def test_the_official_client_gets_whole_audio_in_every_form(form: str) -> None:
    async with speaking(ToneVoice(seconds=0.5)) as url, client(url) as api:
        answer = await api.audio.speech.create(**order(response_format=form))

    assert answer.response.headers["content-type"] == MEDIA_TYPES[form]
    assert length_s(answer.content) == pytest.approx(1.5, abs=0.15)


async def test_pcm_is_24_khz_and_ulaw_the_telephones_own() -> None:
    async with speaking(ToneVoice(seconds=0.5)) as url, client(url) as api:
        pcm16 = (await api.audio.speech.create(**order(response_format="pcm"))).content
        mulaw = (await api.audio.speech.create(**order(response_format="ulaw"))).content

    assert len(pcm16) == 3 * 12_000 * 2
    assert len(mulaw) == 3 * 4000


async def test_the_client_reads_while_the_voice_still_speaks() -> None:
    voice = ToneVoice(seconds=4.0, gap_s=0.02)
    async with (
        speaking(voice) as url,
        client(url) as api,
        api.audio.speech.with_streaming_response.create(**order(response_format="wav")) as answer,
    ):
        pieces = answer.iter_bytes()
        head = await anext(pieces)
        spoken_at_first = len(voice.said)
        wav = head + b"".join([piece async for piece in pieces])

    assert spoken_at_first == 1
    assert voice.said == ["One sentence is here. ", "A second one follows it. ", "The third is the last."]
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)


async def test_the_synchronous_client_works_as_well() -> None:
    def ask(url: str) -> tuple[bytes, bytes]:
        with openai.OpenAI(base_url=f"{url}/v1", api_key=ADMIN_TOKEN, max_retries=0) as api:
            plain = api.audio.speech.create(**order(response_format="pcm")).content
            with api.audio.speech.with_streaming_response.create(**order(response_format="pcm")) as answer:
                return plain, b"".join(answer.iter_bytes())

    async with speaking(ToneVoice(seconds=0.2)) as url:
        plain, streamed = await asyncio.to_thread(ask, url)

    assert plain == streamed
    assert len(plain) == 28_800  # 600 ms


async def test_events_carry_the_same_audio() -> None:
    async with speaking(ToneVoice(seconds=0.2)) as url, client(url) as api:
        answer = await api.audio.speech.create(**order(response_format="ulaw", stream_format="sse"))

    events = answer.text.strip().split("\n\n")
    assert all(event.startswith('data: {"type": "speech.audio.delta"') for event in events[:-1])
    assert events[-1].startswith('data: {"type": "speech.audio.done"')


async def test_a_wrong_key_and_a_wrong_speed_are_the_clients_own_errors() -> None:
    async with speaking(ToneVoice()) as url, client(url, api_key="wrong") as stranger, client(url) as api:
        with pytest.raises(openai.AuthenticationError) as unknown:
            await stranger.audio.speech.create(**order())
        with pytest.raises(openai.BadRequestError) as too_fast:
            await api.audio.speech.create(**order(speed=9.0))
        recent = await answered(url, 2)

    assert unknown.value.code == "invalid_api_key"
    assert (too_fast.value.param, too_fast.value.code) == ("speed", "invalid_value")
    assert [(one["status"], one["outcome"]) for one in recent] == [(401, "refused"), (400, "refused")]


async def test_a_voice_that_fails_at_once_is_a_503_and_a_later_one_speaks_instead() -> None:
    failing = ToneVoice(name="dead", failure=ProviderError("dead", Failure.NETWORK, "sk_secret"))
    async with speaking(failing) as url, client(url) as api:
        with pytest.raises(openai.InternalServerError) as refused:
            await api.audio.speech.create(**order())
        [alone] = await answered(url, 1)
    async with speaking(failing, ToneVoice(seconds=0.2)) as url, client(url) as api:
        helped = (await api.audio.speech.create(**order(response_format="ulaw"))).content
        [with_help] = await answered(url, 1)

    assert refused.value.status_code == 503 and "sk_secret" not in str(refused.value)
    assert (alone["status"], alone["outcome"], alone["ttfa_ms"]) == (503, "failed", None)
    assert len(helped) == 3 * 1600
    assert (with_help["provider"], with_help["outcome"]) == ("tone", "complete")


async def test_a_voice_that_fails_later_breaks_the_connection_off() -> None:
    voice = ToneVoice(seconds=2.0, failure=ProviderError("tone", Failure.NETWORK), fail_after=8)
    text = "Nobody says a sentence as long as this one " + "and all the rest of it " * 10 + "in two seconds."
    async with speaking(voice) as url, client(url) as api:
        with pytest.raises((openai.APIConnectionError, Exception)) as broken:
            await api.audio.speech.create(**order(response_format="ulaw", input=text))
        [one] = await answered(url, 1)

    assert "incomplete" in str(broken.value) + str(broken.value.__cause__)
    assert (one["status"], one["outcome"], one["reason"]) == (200, "broken_off", "network")


async def test_a_client_that_goes_away_frees_the_voice() -> None:
    voice = ToneVoice(seconds=60.0, gap_s=0.01)
    async with speaking(voice) as url, client(url) as api:
        async with api.audio.speech.with_streaming_response.create(**order(response_format="ulaw")) as answer:
            await anext(answer.iter_bytes())
            assert voice.speaking == 1
        [one] = await answered(url, 1)
        open_requests = (await status(url))["speech_api"]["open"]

    assert voice.speaking == 0 and len(voice.said) == 1
    assert one["outcome"] == "gone" and open_requests == 0


async def test_a_client_that_reads_nothing_is_never_far_behind_the_voice() -> None:
    voice = ToneVoice(seconds=10.0)
    text = "This is a sentence of the long text. " * 1000
    async with speaking(voice) as url, client(url) as api:
        async with api.audio.speech.with_streaming_response.create(
            **order(input=text, response_format="pcm")
        ) as answer:
            await anext(answer.iter_bytes())
            said = -1
            async with asyncio.timeout(30):
                while said != len(voice.said):  # until it has come to rest
                    said = len(voice.said)
                    await asyncio.sleep(1.0)
        await answered(url, 1)

    # 10 s of pcm are 480 KB: what the sockets of two kernels hold, and ten seconds more.
    assert 1 <= said < 60
    assert voice.speaking == 0


async def test_a_long_text_is_said_whole_and_in_order() -> None:
    voice = ToneVoice(seconds=0.02)
    text = "".join(f"Sentence number {n} of the long text, and it goes on. " for n in range(900)) + "-----"
    async with speaking(voice) as url, client(url) as api:
        mulaw = (await api.audio.speech.create(**order(input=text[:50_000], response_format="ulaw"))).content
        with pytest.raises(openai.BadRequestError):
            await api.audio.speech.create(**order(input="a" * 50_001))

    assert "".join(voice.said) == text[:50_000]
    assert len(mulaw) == 160 * len(voice.said)


async def test_the_request_id_is_kept_and_every_reader_has_the_request() -> None:
    async with speaking(ToneVoice(seconds=0.5)) as url, client(url) as api:
        answer = await api.audio.speech.create(**order(), extra_headers={"x-request-id": "mine-1"})
        made = await api.audio.speech.create(**order(speed=2.0))
        recent = await answered(url, 2)
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}) as http:
            metrics = (await http.get(f"{url}/metrics")).text
            events = (await http.get(f"{url}/logs", params={"event": "speech_api.answered"})).json()["events"]

    assert answer.response.headers["x-request-id"] == "mine-1"
    assert made.response.headers["x-request-id"].startswith("req_")
    assert [one["request_id"] for one in recent] == [event["request_id"] for event in events]
    assert [one["audio_ms"] for one in recent] == [1500, 750]
    assert recent[0]["characters"] == len(TEXT) and recent[0]["provider"] == "tone"
    assert 'hotline_speech_api_requests_total{outcome="complete",status="200"} 2.0' in metrics
    assert 'hotline_speech_requests_total{outcome="complete",provider="tone"} 6.0' in metrics
