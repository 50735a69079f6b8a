"""What every voice owes its callers, the embedded one and each transport and format of ElevenLabs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from app.audio import mulaw
from app.audio.frame import FRAME_BYTES
from app.errors import ProviderError
from app.speech.elevenlabs import ElevenLabs
from app.speech.elevenlabs_http import ElevenLabsHttp
from app.speech.elevenlabs_socket import USUAL, Patience
from app.speech.local import LocalSpeech
from app.speech.port import Speech
from app.speech.render import render
from tests.standins.elevenlabs import KEY, UNKNOWN_VOICE, VOICE, ElevenLabsStandin

SENTENCE = "The quick brown fox jumps over the lazy dog, and then it runs away. "
IMPATIENT = Patience(connect_s=0.4, first_audio_s=0.4, gap_s=0.3)

Envelope = npt.NDArray[np.float64]
Make = Callable[[ElevenLabsStandin, str, Patience], Speech]


def over_socket(audio_format: str) -> Make:
    def make(vendor: ElevenLabsStandin, voice: str, patience: Patience) -> Speech:
        return ElevenLabs(
            api_key=KEY,
            voice_id=voice,
            model_id="eleven_flash_v2_5",
            audio_format=audio_format,
            base_url=vendor.url,
            patience=patience,
        )

    return make


def over_http(audio_format: str) -> Make:
    def make(vendor: ElevenLabsStandin, voice: str, patience: Patience) -> Speech:
        return ElevenLabsHttp(
            api_key=KEY,
            voice_id=voice,
            model_id="eleven_flash_v2_5",
            audio_format=audio_format,
            base_url=vendor.url,
            patience=patience,
        )

    return make


VENDOR: dict[str, Make] = {
    "socket-mp3": over_socket("mp3_44100_128"),
    "socket-pcm": over_socket("pcm_16000"),
    "socket-ulaw": over_socket("ulaw_8000"),
    "http-mp3": over_http("mp3_44100_128"),
    "http-ulaw": over_http("ulaw_8000"),
}
EVERY: dict[str, Make] = {"local": lambda *_: LocalSpeech(processes=1), **VENDOR}


@asynccontextmanager
async def opened(
    make: Make, voice: str = VOICE, patience: Patience = USUAL
) -> AsyncIterator[tuple[Speech, ElevenLabsStandin]]:
    async with AsyncExitStack() as stack:
        vendor = await stack.enter_async_context(ElevenLabsStandin(delay_ms=(10, 20)))
        yield await stack.enter_async_context(make(vendor, voice, patience)), vendor


async def said(speech: Speech, text: str) -> bytes:
    async with speech.speak(text) as chunks:
        return b"".join([chunk async for chunk in chunks if isinstance(chunk, bytes)])


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


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
async def test_a_sentence_becomes_audible_frames_of_its_whole_length(make: Make) -> None:
    async with opened(make) as (speech, vendor):
        frames = await heard(speech, SENTENCE)
        reference = len(await vendor.bank.pcm16(SENTENCE)) / 2 / 22_050

    assert len(frames) % FRAME_BYTES == 0
    assert len(frames) / 8000 == pytest.approx(reference, abs=0.12)
    assert loudness(frames).max() > 2000


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
async def test_audio_comes_in_several_pieces_as_it_is_made(make: Make) -> None:
    async with opened(make) as (speech, _), speech.speak(SENTENCE * 2) as chunks:
        pieces = [len(chunk) async for chunk in chunks if isinstance(chunk, bytes)]

    assert len(pieces) > 2
    assert pieces[0] < sum(pieces) / 2


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
async def test_sentences_at_once_are_each_heard_by_their_own_listener(make: Make) -> None:
    texts = [
        "Yes. ",
        "One, two, three, four, five, six. ",
        SENTENCE,
        "We are open from nine in the morning until half past five, and on Sundays from ten until noon. ",
    ]
    async with opened(make) as (speech, vendor):
        tasks = []
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(heard(speech, text)) for text in texts]
        alone = [await vendor.bank.audio(text, "ulaw_8000") for text in texts]
    together = [task.result() for task in tasks]

    assert all(len(later) > len(earlier) + 4000 for earlier, later in pairwise(together))
    for frames, expected in zip(together, alone, strict=True):
        envelope = loudness(expected[: len(expected) // FRAME_BYTES * FRAME_BYTES])
        assert likeness(loudness(frames), envelope) > 0.9


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
async def test_leaving_in_mid_sentence_leaves_the_voice_usable(make: Make) -> None:
    async with opened(make) as (speech, vendor):
        for _ in range(3):
            async with speech.speak(SENTENCE * 4) as chunks:
                assert await anext(aiter(chunks))
        after = await heard(speech, "Still here. ")
        expected = len(await vendor.bank.audio("Still here. ", "ulaw_8000"))

    assert len(after) == pytest.approx(expected, abs=1000)


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
async def test_a_cancelled_listener_leaves_the_voice_usable(make: Make) -> None:
    async with opened(make) as (speech, _):
        begun = asyncio.Event()

        async def listen() -> None:
            async with speech.speak(SENTENCE * 4) as chunks:
                async for _ in chunks:
                    begun.set()
                    await asyncio.sleep(3600)

        task = asyncio.create_task(listen())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await said(speech, "Still here. ")


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
async def test_nothing_audible_is_a_failure(make: Make) -> None:
    async with opened(make, "fault-silent") as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech, "... ")  # what the embedded voice has no sound for

    assert failure.value.kind == "garbage"


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
async def test_ping_passes_where_the_voice_can_speak(make: Make) -> None:
    async with opened(make) as (speech, _):
        await speech.ping()


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
async def test_warming_returns_at_once_and_the_next_sentence_is_heard(make: Make) -> None:
    async with opened(make) as (speech, _):
        speech.warm()
        await asyncio.sleep(0.1)

        assert await said(speech, "Warm. ")


@pytest.mark.parametrize("make", VENDOR.values(), ids=VENDOR.keys())
@pytest.mark.parametrize(
    ("voice", "kind"),
    [
        (UNKNOWN_VOICE, "bad_request"),
        ("fault-stall", "timeout"),
        ("fault-dead", "timeout"),
        ("fault-hang", "timeout"),
        ("fault-cut", "network"),
        ("fault-500", "busy"),
        ("fault-429", "busy"),
    ],
)
async def test_a_fault_of_the_vendor_has_the_same_name_everywhere(make: Make, voice: str, kind: str) -> None:
    async with opened(make, voice, IMPATIENT if kind == "timeout" else USUAL) as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech, SENTENCE)

    assert failure.value.kind == kind
    assert failure.value.provider == speech.name
