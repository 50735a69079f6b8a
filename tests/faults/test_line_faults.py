"""The catalogue of what vendors do, by number: the line to them (7, 8), audio (13 to 15), moods (24)."""

import asyncio
import random
import shutil
import ssl
import subprocess
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.audio import mulaw
from app.audio.converter import Converter
from app.capacity.breaker import State
from app.errors import Failure, ProviderError
from app.speech.chain import Chain
from app.speech.elevenlabs import ElevenLabs
from app.speech.port import Speech
from app.speech.render import render
from tests.faults.conftest import AT_THE_START, TEXT, USUAL, voice_of
from tests.faults.coverage import assert_said_once
from tests.standins.elevenlabs import KEY, VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script
from tests.standins.spelled_voice import Fault, SpelledVoice
from tests.standins.voice import ToneVoice, tone
from tests.virtual_time import in_virtual_time


def elevenlabs_at(url: str) -> ElevenLabs:
    return ElevenLabs(
        api_key=KEY,
        voice_id=VOICE,
        model_id="eleven_flash_v2_5",
        audio_format="ulaw_8000",
        base_url=url,
        prewarm=0,
    )


async def heard(chain: Chain, text: str = TEXT) -> bytes:
    async with aclosing(chain.render(text)) as frames:
        return b"".join([frame async for frame in frames])


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes the certificate")
async def test_07_a_certificate_nobody_vouches_for_is_refused_and_said(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    order = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=elsewhere"]
    made = [*order, "-days", "1", "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, made, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    texts: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        texts.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Chain([elevenlabs_at(url), ToneVoice(name="second")], limits=USUAL) as chain:
        assert await heard(chain) == tone(440, 1.0)
        with pytest.raises(ProviderError, match="certificate") as failure:
            await elevenlabs_at(url).ping()

    assert failure.value.kind is Failure.NETWORK
    assert texts == []  # nothing was said over a line that nobody vouches for


@pytest.mark.parametrize("answers_after_s", [0.0, 60.0], ids=["no such name", "no answer"])
async def test_08_names_that_cannot_be_found_cost_their_budget_and_no_other_callers_frames(
    answers_after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(*_args: Any, **_options: Any) -> None:
        await asyncio.sleep(answers_after_s)
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    voices: list[Speech] = [elevenlabs_at("http://voice.invalid"), ToneVoice(name="second")]
    async with Chain(voices, limits=AT_THE_START) as chain:
        assert await heard(chain) == tone(440, 1.0)
        first, _ = chain.status()

    assert first.last_failure in (Failure.NETWORK, Failure.TIMEOUT)


@pytest.fixture
async def vendor() -> Any:
    async with ElevenLabsStandin(delay_ms=(5, 10)) as standin:
        yield standin


def peak(frames: bytes) -> int:
    return int(np.abs(mulaw.decode(frames).astype(np.int32)).max())


@pytest.mark.parametrize("transport", ["websocket", "http"])
async def test_13_damaged_mp3_is_never_a_burst_of_noise(vendor: ElevenLabsStandin, transport: str) -> None:
    whole = await vendor.bank.audio(TEXT, "mp3_44100_128")
    clean = Converter("mp3_44100_128")
    expected = clean.feed(whole) + clean.finish()
    chance = random.Random(13)
    damaged = bytearray(whole)
    for at in (9_000, 20_000, 40_000):
        damaged[at : at + 700] = chance.randbytes(700)
    vendor.scripts[VOICE] = Script(body=bytes(damaged))
    speech = voice_of(vendor, VOICE, transport=transport, audio_format="mp3_44100_128")
    async with Chain([speech], limits=USUAL) as chain:
        frames = await heard(chain)

    assert peak(frames) <= peak(expected) * 1.2
    assert len(frames) == pytest.approx(len(expected), abs=3_000)


async def test_13_random_bytes_in_place_of_mp3_are_the_next_voices_text(vendor: ElevenLabsStandin) -> None:
    vendor.scripts[VOICE] = Script(body=random.Random(1).randbytes(30_000))
    speech = voice_of(vendor, VOICE, audio_format="mp3_44100_128")
    async with Chain([speech, ToneVoice(name="second")], limits=USUAL) as chain:
        assert await heard(chain) == tone(440, 1.0)
        assert chain.status()[0].last_failure is Failure.GARBAGE


@pytest.mark.parametrize("audio_format", ["mp3_44100_128", "pcm_16000", "ulaw_8000"])
async def test_14_every_split_of_the_audio_sounds_the_same(
    vendor: ElevenLabsStandin, audio_format: str
) -> None:
    whole = await vendor.bank.audio("Nine past ten.", audio_format)
    once, bytewise = Converter(audio_format), Converter(audio_format)
    expected = once.feed(whole) + once.finish()

    assert (
        b"".join(bytewise.feed(whole[at : at + 1]) for at in range(len(whole))) + bytewise.finish()
        == expected
    )
    for transport in ("websocket", "http"):
        speech = voice_of(vendor, VOICE, transport=transport, audio_format=audio_format)
        async with speech, aclosing(render(speech, "Nine past ten.")) as frames:
            assert b"".join([frame async for frame in frames]) == expected


@pytest.mark.parametrize("sent", ["mp3_22050_32", "mp3_44100_64", "wav_8000"])
async def test_15_other_audio_than_was_asked_for_keeps_its_pitch_and_length(
    vendor: ElevenLabsStandin, sent: str
) -> None:
    asked = "ulaw_8000" if sent == "wav_8000" else "mp3_44100_128"
    usual = voice_of(vendor, VOICE, audio_format=asked)
    async with Chain([usual], limits=USUAL) as chain:
        expected = await heard(chain)
        vendor.scripts[VOICE] = Script(audio_format=sent)
        frames = await heard(chain)

    assert len(frames) == pytest.approx(len(expected), abs=1_000)
    assert peak(frames) == pytest.approx(peak(expected), rel=0.3)


@in_virtual_time
async def test_24_a_vendor_that_comes_and_goes_is_probed_by_one_sentence_at_a_time() -> None:
    """Ten seconds up, ten seconds down, and four callers who have something to say every second."""
    first, second = SpelledVoice("first", aligned=True), SpelledVoice("second", aligned=True)
    async with Chain([first, second]) as chain:
        asked_while_down = []
        for second_of_all in range(120):
            is_down = second_of_all // 10 % 2 == 1
            before = len(first.said)
            first.faults = [Fault(0, Failure.BUSY)] * 100 if is_down else []
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(heard(chain)) for _ in range(4)]
            for task in tasks:
                assert_said_once(TEXT, task.result())
            if is_down:
                asked_while_down.append(len(first.said) - before)
            await asyncio.sleep(1)

        # A herd would be four callers, twice each, in every of sixty seconds.
        assert sum(asked_while_down) < 100
        assert len(first.said) > 120
        assert chain.status()[1].breaker is State.CLOSED
