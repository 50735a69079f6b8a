"""Callers who say what we want them to: the embedded voice, through a telephone."""

import asyncio
from collections.abc import Sequence

import numpy as np

from app.hearing.port import Listener, Transcript
from app.speech.espeak import PHONE_VOICE, Espeak, Voice
from app.speech.espeak_worker import SAMPLE_RATE
from tests.hearing.sounds import at_level, mulaw_frames, noise, of_pcm16, silence

HOTLINE = (
    *("news", "tour dates", "concerts", "tickets", "music", "new album", "leave a message", "voicemail"),
    *("talk to a person", "operator", "repeat", "goodbye", "yes", "no"),
)
# About something else, and nothing of the hotline's in it.
ELSEWHERE = "my brother works at a hospital in chicago"


def spoken(texts: Sequence[str], voice: Voice = PHONE_VOICE) -> dict[str, bytes]:
    """Mu-law of each text at -20 dBFS, with 300 ms of quiet line before and after. Not for coroutines."""
    return asyncio.run(_spoken(texts, voice))


async def _spoken(texts: Sequence[str], voice: Voice) -> dict[str, bytes]:
    said = {}
    async with Espeak(processes=1) as espeak:
        for text in texts:
            async with espeak.speak(text, voice) as chunks:
                pcm16 = b"".join([chunk async for chunk in chunks])
            said[text] = on_line(pcm16)
    return said


def on_line(pcm16: bytes) -> bytes:
    voice = at_level(of_pcm16(pcm16, SAMPLE_RATE), -20)
    whole = np.concatenate([silence(0.3), voice, silence(0.3)])
    return b"".join(mulaw_frames(whole + noise(10, len(whole) / 8000, -65)[: len(whole)]))


async def ask(listener: Listener, mulaw: bytes) -> Transcript:
    """Say something at once; the final transcript of it."""
    number = listener.begin_utterance()
    for at in range(0, len(mulaw), 160):
        listener.hear(mulaw[at : at + 160])
    listener.end_utterance()
    return await answer(listener, number)


async def answer(listener: Listener, number: int) -> Transcript:
    """The final transcript of an utterance."""
    async with asyncio.timeout(20):  # of a test that would hang
        async for transcript in listener.transcripts():
            if transcript.final and transcript.utterance == number:
                return transcript
    raise AssertionError("the session ended without an answer")
