"""Phrases rendered before anybody asks for them: one after the other, behind everybody who waits."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

from app import clock
from app.capacity.breaker import State
from app.capacity.port import Rank
from app.errors import ProviderError
from app.log import log
from app.speech.sentences import split_sentences
from app.speech.telling import Telling
from app.speech.voice import Voice
from app.speech.words import is_said

AGAIN_S = 60.0  # until what the first voice could not say is tried with it again


class Cache(Protocol):
    """Phrases that were rendered before they were asked for."""

    def find(self, text: str, fingerprints: Sequence[str]) -> bytes | None:
        """The frames of `text` by the first of these voices that has it."""

    def keep(self, text: str, fingerprint: str, mulaw: bytes) -> None:
        """Have it from now on."""


class Ahead:
    """Renders with one voice each phrase, never with two: a phrase is kept under the voice that speaks it."""

    def __init__(self, voices: Sequence[Voice], cache: Cache) -> None:
        self._voices = voices
        self._cache = cache

    async def render(self, texts: Sequence[str]) -> None:
        """Until the first voice has said them all; what it cannot say now, the next ones say meanwhile."""
        phrases = [sentence.strip() for text in texts for sentence in split_sentences(text)]
        missing = [phrase for phrase in dict.fromkeys(phrases) if is_said(phrase)]
        count = len(missing)
        while True:
            missing = [phrase for phrase in missing if not await self._by_the_first(phrase)]
            if not missing:
                break
            await asyncio.sleep(AGAIN_S)
        log.info("speech.prepared", phrases=count)

    async def _by_the_first(self, phrase: str) -> bool:
        """Whether there is nothing more to do for a phrase."""
        for voice in self._voices:
            fingerprint = voice.speech.fingerprint
            if self._cache.find(phrase, [fingerprint]) is None:
                if voice.breaker.state(clock.now()) is not State.CLOSED:
                    continue
                mulaw = await _rendered(voice, phrase)
                if mulaw is None:
                    continue
                self._cache.keep(phrase, fingerprint, mulaw)
            return voice is self._voices[0]
        return False


async def _rendered(voice: Voice, phrase: str) -> bytes | None:
    telling = Telling(phrase, Rank.BATCH, longest_bytes=sys.maxsize)
    try:
        await voice.tell(telling, is_last=False)
    except ProviderError:
        return None  # which the voice has reported
    telling.reel.end()
    async with aclosing(telling.reel.frames()) as frames:
        return b"".join([mulaw async for mulaw in frames])
