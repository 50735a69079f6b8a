"""Several voices, one behind the other: what the first cannot say, the next says from there on."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Self

from app import clock
from app.capacity.breaker import State
from app.capacity.port import Permits, Rank
from app.errors import ConfigError, Failure, ProviderError
from app.log import log
from app.speech.ahead import Ahead, Cache
from app.speech.background import Background
from app.speech.budgets import USUAL, Budgets
from app.speech.port import Speech, Spoken
from app.speech.recovery import recover
from app.speech.telling import Telling
from app.speech.trouble import trouble
from app.speech.voice import Voice, VoiceStatus
from app.speech.words import is_said

PIECE = 8_000  # bytes of a ready phrase that are handed out at once: a second
NAME = "speech"  # in errors that are no single vendor's


class Chain:
    """The providers of one process in order of preference; entered once, shared by all calls."""

    def __init__(
        self,
        providers: Sequence[Speech],
        *,
        permits: Mapping[str, Permits] | None = None,
        cache: Cache | None = None,
        limits: Budgets = USUAL,
        slower: Mapping[str, Budgets] | None = None,
    ) -> None:
        """`permits` by provider, none: nothing is counted; `slower` for providers that need other limits."""
        own = slower or {}
        self._voices = [
            Voice(
                provider,
                (permits or {}).get(provider.name),
                own.get(provider.name, limits),
                opened=self._opened,
                background=lambda: self._background,
            )
            for provider in providers
        ]
        self._cache = cache
        self._trouble = trouble()
        self._background = Background()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Enter every provider; one that cannot start is left out, loudly.

        Raises:
            ConfigError: none can start.
        """
        started: list[Voice] = []
        faults: list[str] = []
        for voice in self._voices:
            try:
                await self._open.enter_async_context(voice.speech)
                started.append(voice)
            except (ConfigError, ProviderError) as error:
                faults.append(f"voice {voice.name}: {error}")
                log.error("speech.provider_left_out", provider=voice.name, reason=str(error))
        if not started:
            raise ConfigError(*(faults or ["no voice is configured"]))
        self._voices = started
        self._background = Background()  # a chain may be opened again
        await self._open.enter_async_context(self._background)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    @property
    def names(self) -> list[str]:
        """The providers that can be used, in order."""
        return [voice.name for voice in self._voices]

    @property
    def failing(self) -> list[str]:
        """The providers that failed when they were last asked."""
        return [voice.name for voice in self._voices if voice.record.is_failing]

    def status(self) -> list[VoiceStatus]:
        """Every provider, for the operator."""
        return [voice.status() for voice in self._voices]

    def warm(self) -> None:
        """A call is about to begin: let every provider get ready."""
        for voice in self._voices:
            voice.speech.warm()

    def forget(self, call: str) -> None:
        """The call is over: nothing is kept for it."""
        for voice in self._voices:
            voice.speech.forget(call)

    async def ping(self) -> dict[str, ProviderError | None]:
        """Try every provider: what is wrong with each, None where nothing is."""
        return {voice.name: await _ping(voice.speech) for voice in self._voices}

    def prepare(self, texts: Sequence[str]) -> None:
        """Render phrases ahead into the cache, in the background and behind everybody who waits."""
        if self._cache is not None:
            self._background.start(Ahead(self._voices, self._cache).render(texts))

    async def render(
        self, text: str, *, rank: Rank = Rank.TURN, call: str = "", places: list[Spoken] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Say one sentence as mu-law frames; to be used inside `contextlib.aclosing`.

        A voice that fails or is late is left for the next, also in mid-sentence: what was handed out has been
        heard, and the next one says the rest. When none is left a ready sentence asks the caller's pardon,
        save for `Rank.BATCH`, whose listener is a program. Voices are read as fast as they speak, so a slow
        reader holds no permit. Text without a letter or digit is silence. `places` grows with the frames:
        where in `text` they are, as far as the voices told; nothing is known of a sentence rendered ahead.

        Raises:
            ProviderError: the last one's, when all failed.
        """
        if not is_said(text):
            return
        if (ready := self.ready(text)) is not None:
            log.info("speech.was_ready", frames_out=len(ready) // 160, audio_ms=len(ready) // 8)
            for start in range(0, len(ready), PIECE):
                yield ready[start : start + PIECE]
            return
        if not self._background.running:
            raise ProviderError(NAME, Failure.CLOSED, "the voices are not open")
        telling = Telling(text, rank, call, places=places)
        work = self._background.start(self._work(telling))
        try:
            async with aclosing(telling.reel.frames()) as frames:
                async for mulaw in frames:
                    yield mulaw
        finally:
            work.cancel()
            await asyncio.wait([work])

    def ready(self, text: str) -> bytes | None:
        """A sentence that was rendered ahead by the voice that would speak now, or by a better one."""
        if self._cache is None:
            return None
        fingerprints: list[str] = []
        for voice in self._voices:
            fingerprints.append(voice.speech.fingerprint)
            if voice.breaker.state(clock.now()) is State.CLOSED:
                break
        return self._cache.find(text.strip(), fingerprints)

    async def _work(self, telling: Telling) -> None:
        try:
            await self._tell(telling)
            telling.reel.end()
        except ProviderError as error:
            telling.reel.end(error)
        finally:
            telling.reel.end(
                ProviderError(NAME, Failure.CLOSED, "the sentence was left: the voices were closed")
            )

    async def _tell(self, telling: Telling) -> None:
        failure: ProviderError | None = None
        for voice in self._in_order():
            if failure is not None:
                log.warning(
                    "speech.fell_back",
                    provider=voice.name,
                    kind=failure.kind.value,
                    characters_left=len(telling.rest),
                )
            try:
                return await voice.tell(telling, is_last=voice is self._voices[-1])
            except ProviderError as error:
                failure = error
        assert failure is not None, "a chain is entered before it speaks"
        if telling.rank is not Rank.BATCH:
            log.error("speech.trouble_told", provider=failure.provider, kind=failure.kind.value)
            await telling.hand(self._trouble)
        raise failure

    def _in_order(self) -> Iterator[Voice]:
        """The voices that may be asked. The last always may: it is better than none."""
        for voice in self._voices:
            if voice is self._voices[-1] or voice.breaker.may_pass(clock.now()):
                yield voice

    def _opened(self, voice: Voice) -> None:
        if self._background.running:
            self._background.start(recover(voice))


async def _ping(provider: Speech) -> ProviderError | None:
    try:
        await provider.ping()
    except ProviderError as error:
        return error
    return None
