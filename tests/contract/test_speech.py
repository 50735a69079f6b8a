"""What every voice owes its callers: the embedded one, and each vendor in each transport and format."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.audio import mulaw
from app.audio.frame import FRAME_BYTES
from app.errors import ProviderError
from app.speech.elevenlabs_timing import bytes_per_ms
from app.speech.port import Piece, Speech, Spoken
from app.speech.render import render
from app.speech.words import is_boundary
from tests.contract.voices import (
    CALM,
    IMPATIENT,
    OTHER,
    SOME,
    VOICES,
    Fault,
    Voice,
    left,
    peak,
    running,
)
from tests.standins.voice_house import until

SENTENCE = "The quick brown fox jumps over the lazy dog, and then it runs away. "
LONG = SENTENCE * 4
TEXTS = (
    "Yes. ",
    "One, two, three, four, five, six. ",
    SENTENCE,
    "We are open from nine in the morning until half past five, and on Sundays from ten until noon. ",
)

Envelope = npt.NDArray[np.float64]


def voices(able: Callable[[Voice], object] = lambda _: True) -> pytest.MarkDecorator:
    """The voices that are able to do something."""
    chosen = {name: voice for name, voice in VOICES.items() if able(voice)}
    return pytest.mark.parametrize("voice", chosen.values(), ids=chosen.keys())


every_voice = voices()
every_vendor = voices(lambda voice: not voice.is_local)
every_fault = pytest.mark.parametrize(
    ("voice", "fault"),
    [
        pytest.param(voice, fault, id=f"{name}-{what}")
        for name, voice in VOICES.items()
        for what, fault in voice.faults.items()
    ],
)
calls = pytest.mark.parametrize("call", ["", "CA1"], ids=["nobody's", "a call's"])


async def pieces_of(speech: Speech, text: str, call: str = "") -> list[Piece]:
    async with speech.speak(text, call=call) as pieces:
        return [piece async for piece in pieces]


async def said(speech: Speech, text: str, call: str = "") -> bytes:
    return b"".join(piece for piece in await pieces_of(speech, text, call) if isinstance(piece, bytes))


def is_the_same(one: bytes, other: bytes, voice: Voice) -> bool:
    """The embedded voice makes breath of random numbers, and is only about as long."""
    return len(one) == pytest.approx(len(other), rel=0.1) if voice.is_local else one == other


async def heard(speech: Speech, text: str) -> bytes:
    async with aclosing(render(speech, text)) as frames:
        return b"".join([frame async for frame in frames])


def loudness(audio: bytes) -> Envelope:
    """One number for each 20 ms frame: what a voice says, as far as its volume tells."""
    samples = mulaw.decode(audio[: len(audio) // FRAME_BYTES * FRAME_BYTES]).astype(np.float64)
    return np.asarray(np.sqrt((samples.reshape(-1, FRAME_BYTES) ** 2).mean(axis=1)))


def likeness(one: Envelope, other: Envelope) -> float:
    """The best correlation of two envelopes that may begin up to 0.1 s apart."""
    size = min(len(one), len(other)) - 10
    return max(
        float(np.corrcoef(one[a : a + size], other[b : b + size])[0, 1]) for a in range(6) for b in range(6)
    )


@every_voice
async def test_a_sentence_becomes_audible_frames_of_its_whole_length(voice: Voice) -> None:
    async with voice.opened() as (speech, vendor):
        frames = await heard(speech, SENTENCE)
        reference = len(await vendor.bank.pcm16(SENTENCE)) / 2 / 22_050

    assert len(frames) % FRAME_BYTES == 0
    assert len(frames) / 8000 == pytest.approx(reference, abs=0.12)
    assert loudness(frames).max() > 2000


@every_voice
async def test_audio_comes_in_several_pieces(voice: Voice) -> None:
    async with voice.opened() as (speech, _):
        sizes = [len(piece) for piece in await pieces_of(speech, LONG) if isinstance(piece, bytes)]

    assert len(sizes) > 2
    assert sizes[0] < sum(sizes) / 2


@every_vendor
@calls
async def test_audio_comes_before_the_vendor_has_made_the_last_of_it(voice: Voice, call: str) -> None:
    async with voice.opened(voice.slow) as (speech, vendor), speech.speak(LONG, call=call) as pieces:
        async for piece in pieces:
            if isinstance(piece, bytes):
                break

        assert running(vendor) == 1


@every_voice
async def test_sentences_at_once_are_each_heard_by_their_own_listener(voice: Voice) -> None:
    async with voice.opened() as (speech, vendor):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(heard(speech, text)) for text in TEXTS]
        alone = [await vendor.bank.audio(text, "ulaw_8000") for text in TEXTS]
    together = [task.result() for task in tasks]

    assert all(len(later) > len(earlier) + 4000 for earlier, later in pairwise(together))
    for frames, expected in zip(together, alone, strict=True):
        assert likeness(loudness(frames), loudness(expected)) > 0.9


@every_voice
@calls
async def test_leaving_in_mid_sentence_leaves_the_voice_usable(voice: Voice, call: str) -> None:
    async with voice.opened() as (speech, vendor):
        for _ in range(3):
            async with speech.speak(LONG, call=call) as pieces:
                assert await anext(aiter(pieces))
        interrupted = await said(speech, "Still here. ", call)
        undisturbed = await said(speech, "Still here. ", call)
        after = await heard(speech, "Still here. ")
        expected = len(await vendor.bank.audio("Still here. ", "ulaw_8000"))

    assert is_the_same(interrupted, undisturbed, voice)
    assert len(after) == pytest.approx(expected, abs=1000)


@voices(lambda voice: voice.leaves)
async def test_leaving_in_mid_sentence_is_seen_by_the_vendor(voice: Voice) -> None:
    async with voice.opened(voice.slow) as (speech, vendor):
        for _ in range(3):
            async with speech.speak(LONG) as pieces:
                assert await anext(aiter(pieces))

        await until(lambda: left(vendor) == 3 and not running(vendor))


@every_voice
@calls
async def test_a_cancelled_listener_leaves_the_voice_usable(voice: Voice, call: str) -> None:
    async with voice.opened() as (speech, _):
        begun = asyncio.Event()

        async def listen() -> None:
            async with speech.speak(LONG, call=call) as pieces:
                async for _ in pieces:
                    begun.set()
                    await asyncio.sleep(3600)

        task = asyncio.create_task(listen())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await said(speech, "Still here. ", call)


@every_voice
@calls
async def test_sentences_of_one_call_follow_each_other(voice: Voice, call: str) -> None:
    async with voice.opened() as (speech, _):
        first = await said(speech, "Yes. ", call)
        for _ in range(3):
            assert is_the_same(await said(speech, "Yes. ", call), first, voice)
        assert len(await said(speech, SENTENCE, call)) > 2 * len(first)


@every_vendor
async def test_a_listener_who_takes_his_time_keeps_no_generation_in_flight(voice: Voice) -> None:
    async with voice.opened() as (speech, vendor), speech.speak(SENTENCE) as pieces:
        iterator = aiter(pieces)
        first = await anext(iterator)
        await until(lambda: not running(vendor))
        rest = [first, *[piece async for piece in iterator]]

        audio = b"".join(piece for piece in rest if isinstance(piece, bytes))
        assert audio == await vendor.bank.audio(SENTENCE, speech.audio_format)


async def test_what_the_embedded_voice_has_no_sound_for_is_a_failure() -> None:
    async with VOICES["local"].opened() as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech, "... ")

    assert failure.value.kind == "garbage"


@every_fault
async def test_a_fault_of_the_vendor_has_the_same_name_everywhere(voice: Voice, fault: Fault) -> None:
    patience = IMPATIENT if fault.kind == "timeout" else CALM
    async with voice.opened(fault.script, voice=fault.voice, patience=patience) as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech, LONG)

    assert failure.value.kind == fault.kind
    assert failure.value.provider == speech.name


@every_vendor
async def test_too_many_at_once_for_the_workspace_are_told_as_such(voice: Voice) -> None:
    async with voice.opened(voice.slow, limit=1) as (speech, _), speech.speak(LONG) as pieces:
        await anext(aiter(pieces))
        with pytest.raises(ProviderError) as failure:
            await said(speech, SENTENCE)

    assert failure.value.kind == voice.too_many


@every_voice
async def test_ping_passes_where_the_voice_can_speak_and_costs_no_generation(voice: Voice) -> None:
    async with voice.opened() as (speech, vendor):
        await speech.ping()

        assert voice.is_local or peak(vendor) == 0


@every_vendor
async def test_ping_tells_a_refused_key_without_repeating_it(voice: Voice) -> None:
    wrong = voice.key[:-4] + "0bad"
    async with voice.opened(key=wrong) as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await speech.ping()

    assert failure.value.kind == "auth"
    assert voice.key[:8] not in str(failure.value)


@every_voice
async def test_warming_returns_at_once_and_the_next_sentence_is_heard(voice: Voice) -> None:
    async with voice.opened() as (speech, vendor):
        speech.warm()
        await until(lambda: voice.is_local or vendor.connections)

        assert await said(speech, "Warm. ")


@every_voice
async def test_forgetting_a_call_that_never_spoke_is_nothing(voice: Voice) -> None:
    async with voice.opened() as (speech, _):
        speech.forget("CA-nobody")
        speech.forget("")


@every_voice
async def test_equal_fingerprints_mean_equal_sound(voice: Voice) -> None:
    async with voice.opened() as (speech, vendor):
        same, other = (voice.build(vendor, voice.key, name, CALM) for name in (SOME, OTHER))
        async with same, other:
            assert speech.fingerprint == same.fingerprint
            assert voice.is_local or speech.fingerprint != other.fingerprint
        assert speech.fingerprint.startswith(speech.name)
        assert speech.maximum_concurrent is None


@voices(lambda voice: voice.places)
@calls
async def test_what_is_claimed_as_said_grows_until_the_end_of_text_and_audio(voice: Voice, call: str) -> None:
    text = 'It is 5 o\'clock, "we" close: good-bye, my friend. ' * 3
    async with voice.opened() as (speech, _):
        pieces = await pieces_of(speech, text, call)

    claims, audio_ms = claims_of(pieces, speech)
    assert speech.aligned
    assert len(claims) > 3
    assert all(a.characters <= b.characters and a.until_ms <= b.until_ms for a, b in pairwise(claims))
    assert text[: claims[-1].characters].strip() == text.strip()
    assert claims[-1].until_ms == pytest.approx(audio_ms, rel=0.02)


@voices(lambda voice: not voice.places)
async def test_a_voice_that_tells_no_places_claims_nothing(voice: Voice) -> None:
    async with voice.opened() as (speech, _):
        claims, _ = claims_of(await pieces_of(speech, SENTENCE), speech)

    assert claims == []


@voices(lambda voice: voice.confirmed)
async def test_a_claim_never_runs_ahead_of_its_audio_or_of_the_words_end(voice: Voice) -> None:
    async with voice.opened() as (speech, _):
        pieces = await pieces_of(speech, SENTENCE)

    received_ms = 0.0
    for piece in pieces[:-1]:
        if isinstance(piece, bytes):
            received_ms += len(piece) / bytes_per_ms(speech.audio_format)
        else:
            assert piece.until_ms <= received_ms + 1
            assert is_boundary(SENTENCE, piece.characters)
    assert isinstance(pieces[-1], Spoken)


def claims_of(pieces: list[Piece], speech: Any) -> tuple[list[Spoken], float]:
    """What was claimed, and how long the audio is."""
    audio = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
    claims = [piece for piece in pieces if isinstance(piece, Spoken)]
    return claims, audio / bytes_per_ms(speech.audio_format)
