"""What every voice owes its callers, asked of Deepgram, OpenAI and the contexts of ElevenLabs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.audio import mulaw
from app.audio.frame import FRAME_BYTES
from app.errors import ProviderError
from app.speech.deepgram import DeepgramSpeech
from app.speech.elevenlabs_contexts import ElevenLabsContexts
from app.speech.elevenlabs_socket import Patience
from app.speech.openai import OpenAiSpeech
from app.speech.port import Speech, Spoken
from app.speech.render import render
from tests.standins import deepgram_voice, elevenlabs_multi, openai_voice
from tests.standins.deepgram_voice import DeepgramVoice
from tests.standins.elevenlabs_multi import MultiVoice
from tests.standins.openai_voice import OpenAiVoice
from tests.standins.voice_house import Script, VoiceHouse, until

SENTENCE = "The quick brown fox jumps over the lazy dog, and then it runs away. "
CALM = Patience(connect_s=20.0, first_audio_s=20.0, gap_s=20.0)
IMPATIENT = Patience(connect_s=20.0, first_audio_s=0.4, gap_s=0.3)

Envelope = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Vendor:
    """How to stand one up, and its voice."""

    house: Callable[..., VoiceHouse]
    voice: Callable[[Any, str, Patience], Speech]
    key: str


def deepgram(house: DeepgramVoice, key: str, patience: Patience) -> Speech:
    return DeepgramSpeech(api_key=key, base_url=house.url, patience=patience)


def openai(house: OpenAiVoice, key: str, patience: Patience) -> Speech:
    return OpenAiSpeech(api_key=key, base_url=house.base_url, patience=patience)


def contexts(audio_format: str) -> Callable[[MultiVoice, str, Patience], Speech]:
    def make(house: MultiVoice, key: str, patience: Patience) -> Speech:
        return ElevenLabsContexts(
            api_key=key,
            voice_id=elevenlabs_multi.VOICE,
            model_id="eleven_flash_v2_5",
            audio_format=audio_format,
            base_url=house.url,
            patience=patience,
        )

    return make


VENDORS = {
    "deepgram": Vendor(DeepgramVoice, deepgram, deepgram_voice.KEY),
    "openai": Vendor(OpenAiVoice, openai, openai_voice.KEY),
    "contexts-ulaw": Vendor(MultiVoice, contexts("ulaw_8000"), elevenlabs_multi.KEY),
    "contexts-mp3": Vendor(MultiVoice, contexts("mp3_44100_128"), elevenlabs_multi.KEY),
}
every = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS.keys())
calls = pytest.mark.parametrize("call", ["", "CA1"], ids=["nobody's", "a call's"])


@asynccontextmanager
async def opened(
    vendor: Vendor, *scripts: Script, key: str = "", patience: Patience = CALM, limit: int | None = None
) -> AsyncIterator[tuple[Speech, VoiceHouse]]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(vendor.house(*scripts, limit=limit))
        yield await stack.enter_async_context(vendor.voice(house, key or vendor.key, patience)), house


async def said(speech: Speech, text: str, call: str = "") -> bytes:
    async with speech.speak(text, call=call) as pieces:
        return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])


async def heard(speech: Speech, text: str) -> bytes:
    async with aclosing(render(speech, text)) as frames:
        return b"".join([frame async for frame in frames])


def loudness(audio: bytes) -> Envelope:
    """One number for each 20 ms frame: what a voice says, as far as its volume tells."""
    samples = mulaw.decode(audio).astype(np.float64).reshape(-1, FRAME_BYTES)
    return np.asarray(np.sqrt((samples**2).mean(axis=1)))


def likeness(one: Envelope, other: Envelope) -> float:
    """The best correlation of two envelopes that may begin up to 0.1 s apart."""
    size = min(len(one), len(other)) - 10
    return max(
        float(np.corrcoef(one[a : a + size], other[b : b + size])[0, 1]) for a in range(6) for b in range(6)
    )


@every
async def test_a_sentence_becomes_audible_frames_of_its_whole_length(vendor: Vendor) -> None:
    async with opened(vendor) as (speech, house):
        frames = await heard(speech, SENTENCE)
        reference = len(await house.bank.pcm16(SENTENCE)) / 2 / 22_050

    assert len(frames) % FRAME_BYTES == 0
    assert len(frames) / 8000 == pytest.approx(reference, abs=0.12)
    assert loudness(frames).max() > 2000


@every
@calls
async def test_audio_comes_before_the_vendor_has_made_the_end_of_it(vendor: Vendor, call: str) -> None:
    async with opened(vendor, Script(gap_s=0.002)) as (speech, house):
        async with speech.speak(SENTENCE * 2, call=call) as pieces:
            async for piece in pieces:
                if isinstance(piece, bytes):
                    break
            assert (house.generations.running, house.generations.finished) == (1, 0)
            rest = [piece async for piece in pieces if isinstance(piece, bytes)]

        assert len(rest) > 2
        assert house.generations.finished == 1


@every
async def test_sentences_at_once_are_each_heard_by_their_own_listener(vendor: Vendor) -> None:
    texts = ["Yes. ", "One, two, three, four, five, six. ", SENTENCE]
    async with opened(vendor) as (speech, house):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(heard(speech, text)) for text in texts]
        alone = [await house.bank.audio(text, "ulaw_8000") for text in texts]
    together = [task.result() for task in tasks]

    assert all(len(later) > len(earlier) + 4000 for earlier, later in pairwise(together))
    for frames, expected in zip(together, alone, strict=True):
        envelope = loudness(expected[: len(expected) // FRAME_BYTES * FRAME_BYTES])
        assert likeness(loudness(frames), envelope) > 0.9


@every
@calls
async def test_leaving_in_mid_sentence_leaves_the_voice_usable(vendor: Vendor, call: str) -> None:
    async with opened(vendor) as (speech, _):
        for _ in range(3):
            async with speech.speak(SENTENCE * 4, call=call) as pieces:
                assert await anext(aiter(pieces))
        interrupted = await said(speech, "Still here. ", call)
        undisturbed = await said(speech, "Still here. ", call)

    assert interrupted == undisturbed


@every
async def test_a_cancelled_listener_leaves_the_voice_usable(vendor: Vendor) -> None:
    async with opened(vendor) as (speech, _):
        begun = asyncio.Event()

        async def listen() -> None:
            async with speech.speak(SENTENCE * 4, call="CA1") as pieces:
                async for _ in pieces:
                    begun.set()
                    await asyncio.sleep(3600)

        task = asyncio.create_task(listen())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await said(speech, "Still here. ", "CA1")


@every
@calls
async def test_sentences_of_one_call_follow_each_other(vendor: Vendor, call: str) -> None:
    async with opened(vendor) as (speech, _):
        first = await said(speech, "Yes. ", call)
        for _ in range(3):
            assert await said(speech, "Yes. ", call) == first
        assert len(await said(speech, SENTENCE, call)) > 2 * len(first)


@every
async def test_nothing_audible_is_a_failure(vendor: Vendor) -> None:
    async with opened(vendor, Script(silent=True), Script(silent=True)) as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech, SENTENCE)

    assert failure.value.kind == "garbage"


@every
async def test_a_document_instead_of_audio_is_never_heard(vendor: Vendor) -> None:
    async with opened(vendor, Script(body=b'{"error": "out of credits, come back later"}' * 3)) as (
        speech,
        _,
    ):
        with pytest.raises(ProviderError) as failure:
            await said(speech, SENTENCE)

    assert failure.value.kind == "garbage"


@every
async def test_ping_passes_where_the_voice_can_speak(vendor: Vendor) -> None:
    async with opened(vendor) as (speech, _):
        await speech.ping()


@every
async def test_ping_tells_a_refused_key_without_repeating_it(vendor: Vendor) -> None:
    wrong = vendor.key[:-4] + "0bad"
    async with opened(vendor, key=wrong) as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await speech.ping()

    assert failure.value.kind == "auth"
    assert vendor.key[:8] not in str(failure.value)


@every
async def test_warming_returns_at_once_and_the_next_sentence_needs_no_connection(vendor: Vendor) -> None:
    async with opened(vendor) as (speech, house):
        speech.warm()
        await until(lambda: house.connections)
        await asyncio.sleep(0.1)

        assert await said(speech, "Warm. ")


@every
async def test_forgetting_a_call_that_never_spoke_is_nothing(vendor: Vendor) -> None:
    async with opened(vendor) as (speech, _):
        speech.forget("CA-nobody")
        speech.forget("")


@every
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(stall_after=4004), "timeout"),
        (Script(stall_after=0), "timeout"),
        (Script(cut_after=4004), "network"),
    ],
    ids=["stalls", "is dead", "breaks"],
)
async def test_a_fault_of_the_vendor_has_the_same_name_everywhere(
    vendor: Vendor, script: Script, kind: str
) -> None:
    patience = IMPATIENT if kind == "timeout" else CALM
    async with opened(vendor, script, patience=patience) as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech, SENTENCE)

    assert failure.value.kind == kind
    assert failure.value.provider == speech.name


@every
async def test_a_voice_that_tells_places_tells_the_whole_text(vendor: Vendor) -> None:
    async with opened(vendor) as (speech, _), speech.speak(SENTENCE) as pieces:
        places = [piece async for piece in pieces if isinstance(piece, Spoken)]

    assert all(a.characters <= b.characters and a.until_ms <= b.until_ms for a, b in pairwise(places))
    if places:
        assert places[-1].characters == len(SENTENCE.rstrip())
        assert speech.aligned
