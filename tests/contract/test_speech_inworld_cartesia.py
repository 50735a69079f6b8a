"""What every voice owes its callers, for Inworld and Cartesia, with and without the times of words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from app.audio.frame import FRAME_BYTES
from app.errors import ProviderError
from app.speech.cartesia import Cartesia
from app.speech.elevenlabs_socket import USUAL, Patience
from app.speech.inworld import Inworld
from app.speech.port import Piece, Speech, Spoken
from tests.contract.test_speech import IMPATIENT, SENTENCE, heard, likeness, loudness, said
from tests.standins import cartesia, cartesia_script, inworld
from tests.standins.cartesia import CartesiaStandin
from tests.standins.inworld import InworldStandin

Vendor = InworldStandin | CartesiaStandin
Make = Callable[[Vendor, str, Patience], Speech]
Case = tuple[Callable[..., Vendor], Make]
LONG = SENTENCE * 4


def by_inworld(audio_format: str, *, aligned: bool) -> Case:
    def make(vendor: Vendor, voice: str, patience: Patience) -> Speech:
        return Inworld(
            api_key=inworld.KEY,
            voice_id=voice,
            audio_format=audio_format,
            aligned=aligned,
            base_url=vendor.url,
            patience=patience,
        )

    return InworldStandin, make


def by_cartesia(audio_format: str, *, aligned: bool) -> Case:
    def make(vendor: Vendor, voice: str, patience: Patience) -> Speech:
        return Cartesia(
            api_key=cartesia.KEY,
            voice_id=voice,
            audio_format=audio_format,
            aligned=aligned,
            base_url=vendor.url,
            patience=patience,
        )

    return CartesiaStandin, make


ALIGNED: dict[str, Case] = {
    "inworld-ulaw-words": by_inworld("ulaw_8000", aligned=True),
    "inworld-pcm-words": by_inworld("pcm_16000", aligned=True),
    "cartesia-ulaw-words": by_cartesia("ulaw_8000", aligned=True),
    "cartesia-pcm-words": by_cartesia("pcm_16000", aligned=True),
}
CASES: dict[str, Case] = {
    **ALIGNED,
    "inworld-ulaw": by_inworld("ulaw_8000", aligned=False),
    "cartesia-ulaw": by_cartesia("ulaw_8000", aligned=False),
}
every_voice = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
aligned_voice = pytest.mark.parametrize("case", ALIGNED.values(), ids=ALIGNED.keys())


@asynccontextmanager
async def opened(
    case: Case, voice: str = "a voice", patience: Patience = USUAL, **vendor_settings: Any
) -> AsyncIterator[tuple[Speech, Vendor]]:
    standin, make = case
    vendor = standin(**vendor_settings)
    async with vendor, make(vendor, voice, patience) as speech:
        yield speech, vendor


async def pieces_of(speech: Speech, text: str) -> list[Piece]:
    async with speech.speak(text) as pieces:
        return [piece async for piece in pieces]


def slow_down(vendor: Vendor, *, pause_s: float) -> None:
    if isinstance(vendor, InworldStandin):
        vendor.scripts["a voice"] = inworld.Script(pause_s=pause_s)
    else:
        vendor.scripts["a voice"] = cartesia_script.Script(pause_s=pause_s)


async def quiet(vendor: Vendor) -> None:
    async with asyncio.timeout(20):
        while vendor.slots.running:  # noqa: ASYNC110 - the vendor does not signal
            await asyncio.sleep(0.005)


@every_voice
async def test_a_sentence_becomes_audible_frames_of_its_whole_length(case: Case) -> None:
    async with opened(case) as (speech, vendor):
        frames = await heard(speech, SENTENCE)
        reference = len(await vendor.bank.pcm16(SENTENCE)) / 2 / 22_050

    assert len(frames) % FRAME_BYTES == 0
    assert len(frames) / 8000 == pytest.approx(reference, abs=0.12)
    assert loudness(frames).max() > 2000


@every_voice
async def test_audio_comes_before_the_vendor_has_made_the_last_of_it(case: Case) -> None:
    async with opened(case) as (speech, vendor):
        slow_down(vendor, pause_s=0.1)
        async with speech.speak(LONG) as pieces:
            first = await anext(aiter(pieces))
            running = vendor.slots.running

    assert isinstance(first, bytes)
    assert running == 1


@every_voice
async def test_sentences_at_once_are_each_heard_by_their_own_listener(case: Case) -> None:
    texts = [
        "Yes. ",
        "One, two, three, four, five, six. ",
        SENTENCE,
        "We are open from nine in the morning until half past five, and on Sundays from ten until noon. ",
    ]
    async with opened(case) as (speech, vendor):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(heard(speech, text)) for text in texts]
        alone = [await vendor.bank.audio(text, "ulaw_8000") for text in texts]
    together = [task.result() for task in tasks]

    assert all(len(later) > len(earlier) + 4000 for earlier, later in pairwise(together))
    for frames, expected in zip(together, alone, strict=True):
        envelope = loudness(expected[: len(expected) // FRAME_BYTES * FRAME_BYTES])
        assert likeness(loudness(frames), envelope) > 0.9


@every_voice
async def test_leaving_in_mid_sentence_is_seen_by_the_vendor(case: Case) -> None:
    async with opened(case) as (speech, vendor):
        slow_down(vendor, pause_s=0.01)
        for _ in range(3):
            async with speech.speak(LONG) as pieces:
                assert await anext(aiter(pieces))
        await quiet(vendor)
        vendor.scripts.pop("a voice")
        after = await heard(speech, "Still here. ")
        expected = len(await vendor.bank.audio("Still here. ", "ulaw_8000"))

    assert len(after) == pytest.approx(expected, abs=1000)
    left = [seen for seen in vendor.seen if seen.text != "Still here."]
    assert [getattr(seen, "cancelled", seen.gone) for seen in left] == [True] * 3


@every_voice
async def test_a_cancelled_listener_leaves_the_voice_usable(case: Case) -> None:
    async with opened(case) as (speech, _):
        begun = asyncio.Event()

        async def listen() -> None:
            async with speech.speak(LONG) as pieces:
                async for _ in pieces:
                    begun.set()
                    await asyncio.sleep(3600)

        task = asyncio.create_task(listen())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await said(speech, "Still here. ")


@every_voice
async def test_a_listener_who_takes_his_time_keeps_no_generation_in_flight(case: Case) -> None:
    async with opened(case) as (speech, vendor), speech.speak(LONG) as pieces:
        iterator = aiter(pieces)
        first = await anext(iterator)
        await quiet(vendor)
        rest = b"".join([piece async for piece in iterator if isinstance(piece, bytes)])

        assert isinstance(first, bytes)
        assert first + rest == await vendor.bank.audio(LONG, speech.audio_format)


@every_voice
async def test_nothing_audible_is_a_failure(case: Case) -> None:
    async with opened(case, "fault-silent") as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech, SENTENCE)

    assert failure.value.kind == "garbage"


@every_voice
async def test_ping_passes_where_the_voice_can_speak_and_costs_no_generation(case: Case) -> None:
    async with opened(case) as (speech, vendor):
        await speech.ping()

        assert vendor.slots.peak == 0


@every_voice
async def test_warming_returns_at_once_and_the_next_sentence_is_heard(case: Case) -> None:
    async with opened(case) as (speech, _):
        speech.warm()
        speech.forget("a call")

        assert await said(speech, "Warm. ")


@aligned_voice
async def test_what_is_claimed_as_said_grows_word_by_word_until_the_end(case: Case) -> None:
    text = 'It is 5 o\'clock, "we" close: good-bye, my friend. '
    async with opened(case) as (speech, _):
        pieces = await pieces_of(speech, text * 3)

    claims = [piece for piece in pieces if isinstance(piece, Spoken)]
    second = 8000 if speech.audio_format == "ulaw_8000" else 32000
    total_ms = sum(len(piece) for piece in pieces if isinstance(piece, bytes)) / second * 1000
    assert len(claims) > 3
    assert all(a.characters <= b.characters and a.until_ms <= b.until_ms for a, b in pairwise(claims))
    assert claims[-1].characters == len(text * 3)
    assert claims[-1].until_ms == pytest.approx(total_ms, abs=5)
    assert pieces[-1] is claims[-1]


@aligned_voice
async def test_a_claim_never_runs_ahead_of_its_audio_or_of_the_words_end(case: Case) -> None:
    async with opened(case) as (speech, _):
        pieces = await pieces_of(speech, SENTENCE)

    second = 8000 if speech.audio_format == "ulaw_8000" else 32000
    received_ms = 0.0
    for piece in pieces[:-1]:
        if isinstance(piece, bytes):
            received_ms += len(piece) / second * 1000
        else:
            assert piece.until_ms <= received_ms + 1
            assert SENTENCE[: piece.characters + 1][-1] == " " or piece.characters == len(SENTENCE.rstrip())


@every_voice
@pytest.mark.parametrize(
    ("voice", "kind"),
    [
        ("nobody", "bad_request"),
        ("fault-stall", "timeout"),
        ("fault-dead", "timeout"),
        ("fault-cut", "network"),
        ("fault-500", "busy"),
        ("fault-429", "over_limit"),
    ],
)
async def test_a_fault_of_the_vendor_has_the_same_name_everywhere(case: Case, voice: str, kind: str) -> None:
    async with opened(case, voice, IMPATIENT if kind == "timeout" else USUAL) as (speech, _):
        with pytest.raises(ProviderError) as failure:
            await said(speech, LONG)

    assert failure.value.kind == kind
    assert failure.value.provider == speech.name


@every_voice
async def test_too_many_at_once_for_the_workspace_are_over_its_limit(case: Case) -> None:
    async with opened(case, limit=1, queue_ms=10) as (speech, vendor):
        slow_down(vendor, pause_s=0.1)
        async with speech.speak(LONG) as pieces:
            await anext(aiter(pieces))
            with pytest.raises(ProviderError) as failure:
                await said(speech, SENTENCE)

    assert failure.value.kind == "over_limit"


@every_voice
async def test_equal_fingerprints_mean_equal_sound(case: Case) -> None:
    async with opened(case) as (speech, _), opened(case) as (same, _), opened(case, "another") as (other, _):
        assert speech.fingerprint == same.fingerprint != other.fingerprint
        assert speech.fingerprint.startswith(speech.name)
        assert speech.maximum_concurrent is None
