import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from structlog.testing import capture_logs

from app.audio.frame import FRAME_BYTES
from app.errors import Failure, ProviderError
from app.speech.port import Piece, Speech
from app.speech.render import AT_ONCE, LONGEST_S, LONGEST_S_PER_CHARACTER, render
from tests.standins.elevenlabs import VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script
from tests.standins.voice import ToneVoice
from tests.virtual_time import in_virtual_time

QUOTA = ProviderError("tone", Failure.QUOTA, "no credit")


async def heard(speech: Speech, text: str = "Hello.") -> bytes:
    async with aclosing(render(speech, text)) as frames:
        return b"".join([frame async for frame in frames])


class Bytes(ToneVoice):
    """A vendor that sends these bytes, whatever they are."""

    def __init__(self, audio_format: str, sent: bytes) -> None:
        super().__init__()
        self.audio_format = audio_format
        self._mulaw = sent


class Endless(ToneVoice):
    """A vendor that babbles."""

    @asynccontextmanager
    async def speak(self, text: str, *, call: str = "") -> AsyncIterator[AsyncIterator[Piece]]:
        async def babble() -> AsyncIterator[Piece]:
            for _ in range(1000):
                yield b"\x7f" * AT_ONCE

        self.speaking += 1
        try:
            yield babble()
        finally:
            self.speaking -= 1


@in_virtual_time
async def test_a_sentence_becomes_whole_frames_and_one_line_in_the_log() -> None:
    with capture_logs() as events:
        frames = await heard(ToneVoice(seconds=1.005, delay_s=0.25))

    assert len(frames) == 51 * FRAME_BYTES
    *_, line = events
    assert line.pop("convert_ms") >= 0
    assert line == {
        "event": "speech.rendered",
        "log_level": "info",
        "provider": "tone",
        "characters": 6,
        "outcome": "complete",
        "audio_format": "ulaw_8000",
        "bytes_in": 8040,
        "skipped_bytes": 0,
        "frames_out": 51,
        "bytes_out": 8160,
        "audio_ms": 1020,
        "waited_ms": 0.0,
        "ttfb_ms": 250.0,
        "first_frame_ms": 250.0,
    }
    assert [event["event"] for event in events[:-1]] == ["speech.requested", "speech.first_byte"]


@in_virtual_time
async def test_what_a_vendor_was_given_is_told_though_nobody_waited_for_its_audio() -> None:
    with capture_logs() as events:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await heard(ToneVoice(delay_s=5.0))
        with pytest.raises(ProviderError):
            await heard(ToneVoice(failure=QUOTA))

    told = [event for event in events if event["event"] == "speech.left"]
    assert told == [{"event": "speech.left", "log_level": "info", "provider": "tone", "characters": 6}]


async def test_the_log_does_not_repeat_what_is_said() -> None:
    with capture_logs() as events:
        await heard(ToneVoice(), "My secret is 4711.")

    assert "4711" not in repr(events)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
async def test_blank_text_is_not_given_to_the_vendor(text: str) -> None:
    voice = ToneVoice()

    assert await heard(voice, text) == b""
    assert voice.said == []


async def test_leaving_in_mid_sentence_frees_the_vendor_and_says_so() -> None:
    voice = ToneVoice(seconds=5)
    with capture_logs() as events:
        async with aclosing(render(voice, "Hello.")) as frames:
            await anext(frames)
            during = voice.speaking

    assert (during, voice.speaking) == (1, 0)
    assert (events[-1]["event"], events[-1]["outcome"]) == ("speech.rendered", "interrupted")


async def test_a_failure_before_any_audio_is_logged_by_its_kind() -> None:
    with capture_logs() as events, pytest.raises(ProviderError):
        await heard(ToneVoice(failure=QUOTA))

    assert events[-1] == {
        "event": "provider.failed",
        "log_level": "warning",
        "provider": "tone",
        "kind": "quota",
        "reason": "no credit",
    }


async def test_a_failure_in_mid_sentence_is_logged_with_what_was_heard() -> None:
    with capture_logs() as events, pytest.raises(ProviderError):
        await heard(ToneVoice(failure=QUOTA, fail_after=3))

    assert [event["event"] for event in events[-2:]] == ["provider.failed", "speech.rendered"]
    assert (events[-1]["outcome"], events[-1]["bytes_in"]) == ("failed", 3000)


@pytest.mark.parametrize("audio_format", ["mp3_44100_128", "pcm_22050", "ulaw_8000"])
@pytest.mark.parametrize(
    "body", [b"", b'{"detail": {"message": "no credit"}}' * 50, b"<html><body>Bad Gateway" * 50]
)
async def test_what_is_no_audio_is_never_heard(audio_format: str, body: bytes) -> None:
    with pytest.raises(ProviderError, match="nothing of it is") as failure:
        await heard(Bytes(audio_format, body))

    assert failure.value.kind == "garbage"


@pytest.mark.parametrize("body", [b"\x00" * 9000, bytes(range(256)) * 40, b"\xff" * 9000])
async def test_garbage_in_place_of_mp3_is_a_failure(body: bytes) -> None:
    with pytest.raises(ProviderError) as failure:
        await heard(Bytes("mp3_44100_128", body))

    assert failure.value.kind == "garbage"


@pytest.mark.parametrize("sent", ["mp3_22050_32", "wav_8000"])
async def test_another_format_than_was_asked_for_is_played_all_the_same(sent: str) -> None:
    async with ElevenLabsStandin() as vendor:
        vendor.scripts[VOICE] = Script()
        audio = await vendor.bank.audio("Hello there, how are you?", sent)
        expected = await vendor.bank.audio("Hello there, how are you?", "ulaw_8000")

    assert len(await heard(Bytes("ulaw_8000", audio))) == pytest.approx(len(expected), abs=1000)


class AtOnce(Bytes):
    """A vendor that sends all of it in one message."""

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield self._mulaw


async def test_minutes_of_audio_in_one_piece_leave_others_their_turn() -> None:
    """No step of the loop may hold more than a moment's work, whatever a vendor sends at once."""
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(another())
    frames = await heard(AtOnce("ulaw_8000", bytes(range(256)) * 4_000), "Hello. " * 25)
    assert len(frames) == 1_024_000
    other.cancel()

    assert turns >= 1_024_000 // AT_ONCE


async def test_a_large_piece_sounds_as_if_it_were_small() -> None:
    sent = bytes(range(256)) * 300
    assert await heard(AtOnce("ulaw_8000", sent)) == sent


async def test_threat_5_a_voice_that_does_not_end_is_ended() -> None:
    text = "Hello."
    longest_ms = 1000 * (LONGEST_S + LONGEST_S_PER_CHARACTER * len(text))
    speech = Endless()

    with capture_logs() as events:
        mulaw = await heard(speech, text)

    heard_ms = 1000 * len(mulaw) / 8000
    assert longest_ms < heard_ms <= longest_ms + 1000 * AT_ONCE / 8000 + 20
    assert speech.speaking == 0
    (line,) = [event for event in events if event["event"] == "speech.rendered"]
    assert line["outcome"] == "cut"
