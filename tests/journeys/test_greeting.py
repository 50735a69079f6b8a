"""A call from the webhook to the hang-up, over real sockets: what is heard is what was to be said."""

import asyncio
from collections.abc import Callable

import httpx
import numpy as np
import pytest

from app.audio import mulaw
from app.audio.converter import Converter
from app.conversation.announcement import Announcement
from app.conversation.port import Conversation
from app.simulator.recording import voiced_ms
from app.speech.local import LocalSpeech
from app.speech.sentences import split_sentences
from tests.journeys.conftest import GREETING, call, events, hotline, vendor_environ
from tests.standins.elevenlabs import ElevenLabsStandin

FORMATS = ["mp3_44100_128", "mp3_22050_32", "pcm_16000", "ulaw_8000"]


async def expected(vendor: ElevenLabsStandin, text: str, audio_format: str) -> bytes:
    """The frames of the vendor's audio, converted in one piece."""
    converter = Converter(audio_format)
    return converter.feed(await vendor.bank.audio(text, audio_format)) + converter.finish()


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("transport", ["websocket", "http"])
async def test_the_vendors_greeting_reaches_the_ear_byte_for_byte(
    vendor: ElevenLabsStandin, audio_format: str, transport: str
) -> None:
    environ = vendor_environ(vendor, ELEVENLABS_OUTPUT_FORMAT=audio_format, ELEVENLABS_TRANSPORT=transport)
    async with hotline(**environ) as url:
        report = await call(url)
        log = await events(url, call_sid=report.call_sid)

    figures = report.as_json()
    assert await expected(vendor, GREETING, audio_format) in report.heard
    assert (figures["underruns"], figures["faults"], figures["marks"]) == (0, [], 1)
    assert report.streams[0].closed is not None and report.streams[0].closed.by == "caller"
    names = [event["event"] for event in log]
    assert names[0] == "call.admitted" and names.count("call.ended") == 1
    (rendered,) = [event for event in log if event["event"] == "speech.rendered"]
    assert rendered["provider"] == "elevenlabs"
    assert rendered["bytes_out"] == len(await expected(vendor, GREETING, audio_format))


async def test_sentences_are_generated_one_by_one_and_heard_in_order(vendor: ElevenLabsStandin) -> None:
    environ = vendor_environ(vendor, GREETING="One is here. Two came too.")
    async with hotline(**environ) as url:
        report = await call(url)

    first, second = [
        await expected(vendor, text, "mp3_44100_128") for text in ("One is here.", "Two came too.")
    ]
    assert first + second in report.heard
    texts = [text.strip() for seen in vendor.seen for text in seen.texts]
    assert texts == ["One is here.", "Two came too."]
    assert report.as_json()["underruns"] == 0


async def test_without_any_key_the_embedded_voice_speaks() -> None:
    async with hotline() as url:
        report = await call(url)

    figures = report.as_json()
    assert 1000 < voiced_ms(report.heard) < 3000
    assert figures["faults"] == []
    assert isinstance(figures["first_audio_ms"], float | int)


async def test_the_debug_sentence_is_said_and_the_hotline_hangs_up() -> None:
    async with hotline() as url:
        report = await call(url, path="/debug-websocket-voice", longest_s=20)
        log = await events(url, event="call.ended")

    assert report.streams[0].closed is not None
    assert (report.streams[0].closed.by, report.streams[0].closed.code) == ("hotline", 1000)
    assert voiced_ms(report.heard) > 4000
    assert [event["reason"] for event in log] == ["finished"]
    assert report.said == []


SENTENCES = [
    "One.",
    "The second caller hears this.",
    "Three blind mice ran after the farmer.",
    "Four.  Yes, four and nothing more, my dear old friend.",
    "Hi.",
    "Six sick sheep shivered slowly on the slippery slope of the hill.",
    "Seventh heaven, they say, is quite a nice place.",
    "Eight o'clock tomorrow morning, please do not be late for it.",
    "Nine tailors make a man, and ten of them make a choir that sings all night long.",
    "The end is near.",
]


def one_for_each() -> Callable[[str], Conversation]:
    """The n-th call is told the n-th sentence."""
    left = iter(SENTENCES)
    return lambda _path: Announcement(next(left))


async def ten_calls(url: str) -> list[bytes]:
    """What ten callers at once heard, in the order in which their streams began."""
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call(url)) for _ in SENTENCES]
    reports = {task.result().call_sid: task.result() for task in calls}
    assert {report.as_json()["underruns"] for report in reports.values()} == {0}
    began = [event["call_sid"] for event in await events(url, event="stream.started")]
    return [reports[sid].heard for sid in began]


@pytest.mark.xdist_group("crowded")
async def test_threat_27_ten_callers_at_once_hear_ten_sentences_each_its_own_to_the_byte(
    vendor: ElevenLabsStandin,
) -> None:
    async with hotline(one_for_each(), **vendor_environ(vendor)) as url:
        heard = await ten_calls(url)

    texts = ["".join(split_sentences(sentence)) for sentence in SENTENCES]
    for text, ear in zip(texts, heard, strict=True):
        parts = [await expected(vendor, part, "mp3_44100_128") for part in split_sentences(text)]
        assert b"".join(parts) in ear


@pytest.mark.xdist_group("crowded")
async def test_ten_callers_at_once_hear_their_own_sentence_from_the_embedded_voice() -> None:
    async with hotline(one_for_each()) as url:
        heard = await ten_calls(url)
    async with LocalSpeech() as voice:
        spoken = [await said_by(voice, sentence) for sentence in SENTENCES]

    # espeak's breath noise differs from time to time, the shape of a sentence does not.
    likeness = np.array([[alike(one, other) for other in spoken] for one in heard])
    assert likeness.argmax(axis=1).tolist() == list(range(len(SENTENCES)))
    assert likeness.diagonal().min() > 0.9


async def said_by(voice: LocalSpeech, text: str) -> bytes:
    converter = Converter(voice.audio_format)
    heard = b""
    for sentence in split_sentences(text):
        async with voice.speak(sentence) as chunks:
            heard += b"".join([converter.feed(chunk) async for chunk in chunks if isinstance(chunk, bytes)])
    return heard + converter.finish()


def envelope(heard: bytes) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Loudness of every 20 ms from the first sound to the last."""
    frames = mulaw.decode(heard).astype(np.float64)[: len(heard) // 160 * 160].reshape(-1, 160)
    loud = np.sqrt((frames**2).mean(axis=1))
    voiced = np.flatnonzero(loud > 200)
    return np.asarray(loud[voiced[0] : voiced[-1] + 1])


def alike(one: bytes, other: bytes) -> float:
    """How much two recordings are the same sentence: correlation of their envelopes, 1 at best."""
    first, second = envelope(one), envelope(other)
    length = max(len(first), len(second))
    padded = [np.pad(loud, (0, length - len(loud))) for loud in (first, second)]
    norm = float(np.linalg.norm(padded[0]) * np.linalg.norm(padded[1]))
    return max(float(np.roll(padded[0], shift) @ padded[1]) for shift in range(-3, 4)) / norm


async def test_a_caller_who_hangs_up_in_mid_sentence_leaves_nothing_behind(vendor: ElevenLabsStandin) -> None:
    long = "This is a sentence of some length, which nobody is going to hear to its very end."
    async with hotline(**vendor_environ(vendor, GREETING=long)) as url:
        report = await call(url, hang_up_after_ms=500)
        async with asyncio.timeout(5):
            # The call ends on the other side of two sockets: nothing here could be waited for.
            while not (log := await events(url, event="call.ended", call_sid=report.call_sid)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        async with httpx.AsyncClient(base_url=url) as http:
            status = (await http.get("/status")).json()

    assert log[0]["reason"] == "caller_hung_up"
    assert log[0]["sentences_unheard"] == 1
    assert (status["calls"]["live"], status["calls"]["reserved"]) == (0, 0)
    assert vendor.slots.running == 0
