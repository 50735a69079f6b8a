"""A sentence as frames: a provider, the converter behind it, and the one log line that says how it went."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import TypeVar

from app import clock
from app.audio.converter import Converter
from app.errors import Failure, ProviderError
from app.log import log
from app.speech.port import Piece, Speech, Spoken

# Bytes converted in one go, some 2 ms of work: a message may hold minutes, and other calls' frames are due.
AT_ONCE = 16 * 1024
# Seconds that a sentence may last: several times as long as slow speech, and a minute for whatever is
# around it. Beyond that a vendor babbles, or means harm; all that was to be said has long been said.
LONGEST_S, LONGEST_S_PER_CHARACTER = 60.0, 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """What one voice is asked to say, and how long it may take."""

    text: str
    call: str = ""
    waited_s: float = 0.0
    """In line for a permit, for the log."""
    start_s: float | None = None
    """Seconds to the first audio; None: the provider's own patience is enough."""
    gap_s: float | None = None
    """Seconds between two pieces."""
    sentence_s: float | None = None
    """Seconds spent waiting for the whole sentence."""


def as_it_is(error: ProviderError) -> ProviderError:
    return error


async def render(speech: Speech, text: str) -> AsyncGenerator[bytes, None]:
    """Say one sentence as mu-law, always whole frames of 160 bytes; blank text gives none.

    To be used inside `contextlib.aclosing`: closing it in mid-sentence frees the provider.

    Raises:
        ProviderError: the provider failed, or sent nothing that could be made audible.
    """
    async with aclosing(render_aligned(speech, Order(text))) as pieces:
        async for piece in pieces:
            if isinstance(piece, bytes):
                yield piece


async def render_aligned(
    speech: Speech, order: Order, *, judge: Callable[[ProviderError], ProviderError] = as_it_is
) -> AsyncGenerator[Piece, None]:
    """As `render`, with what the provider says of its place in the text; `judge` sees its failure first."""
    if not order.text.strip():
        return
    rendering = _Rendering(speech, order)
    log.debug("speech.requested", provider=speech.name, characters=len(order.text))
    try:
        async with aclosing(_chunks(speech, order)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Spoken):
                    yield chunk
                elif mulaw := rendering.feed(chunk):
                    yield mulaw
                    if rendering.is_endless():
                        break
        if mulaw := rendering.finish():
            yield mulaw
    except ProviderError as met:
        error = judge(met)
        rendering.outcome = "failed"
        log.warning("provider.failed", provider=speech.name, kind=error.kind.value, reason=error.message)
        raise error from met
    finally:
        rendering.say_how_it_went()


async def _chunks(speech: Speech, order: Order) -> AsyncGenerator[Piece, None]:
    """What the provider sends, or its failure to send it in time."""
    waiting = _Waiting(speech.name, order)
    async with AsyncExitStack() as stack:
        entered = stack.enter_async_context(speech.speak(order.text, call=order.call))
        chunks: AsyncIterator[Piece] = await waiting.for_(entered)
        while (chunk := await waiting.for_(anext(chunks, None))) is not None:
            for number, part in enumerate(_parts(chunk)):
                if number:
                    await asyncio.sleep(0)
                yield part
            waiting.met(chunk)


def _parts(chunk: Piece) -> list[Piece]:
    if isinstance(chunk, Spoken) or len(chunk) <= AT_ONCE:
        return [chunk]
    return [chunk[start : start + AT_ONCE] for start in range(0, len(chunk), AT_ONCE)]


class _Waiting:
    """How long there is still to wait. Only waiting counts: a slow listener costs the voice nothing."""

    def __init__(self, provider: str, order: Order) -> None:
        self._provider = provider
        self._order = order
        self._left_s = order.start_s  # for the piece that is due
        self._spent_s = 0.0
        self._begun = False

    async def for_(self, due: Awaitable[T]) -> T:
        began = clock.now()
        try:
            async with asyncio.timeout(self._patience_s()):
                return await due
        except TimeoutError as error:
            what = "more audio" if self._begun else "audio"
            message = f"no {what} within {clock.now() - began:.1f} s"
            raise ProviderError(self._provider, Failure.TIMEOUT, message) from error
        finally:
            spent_s = clock.now() - began
            self._spent_s += spent_s
            if self._left_s is not None:
                self._left_s -= spent_s

    def met(self, chunk: Piece) -> None:
        self._begun = self._begun or isinstance(chunk, bytes)
        if self._begun:
            self._left_s = self._order.gap_s

    def _patience_s(self) -> float | None:
        whole = self._order.sentence_s
        limits = [self._left_s, None if whole is None else whole - self._spent_s]
        return min((limit for limit in limits if limit is not None), default=None)


class _Rendering:
    """One sentence on its way through the converter, measured."""

    def __init__(self, speech: Speech, order: Order) -> None:
        self._speech = speech
        self._order = order
        self._converter = Converter(speech.audio_format)
        self._requested_at = clock.now()
        self._ttfb_ms: float | None = None
        self._first_frame_ms: float | None = None
        self._longest_ms = 1000 * (LONGEST_S + LONGEST_S_PER_CHARACTER * len(order.text))
        self.outcome = "interrupted"  # until it is known better

    def feed(self, chunk: bytes) -> bytes:
        if self._ttfb_ms is None:
            self._ttfb_ms = self._elapsed_ms()
            log.debug("speech.first_byte", provider=self._speech.name, ttfb_ms=self._ttfb_ms)
        return self._timed(self._converter.feed(chunk))

    def is_endless(self) -> bool:
        """Whether this can be the sentence no more."""
        return self._converter.report.audio_ms > self._longest_ms

    def finish(self) -> bytes:
        mulaw = self._timed(self._converter.finish())
        report = self._converter.report
        if report.audio_ms <= report.concealed_ms:  # nothing, or only the silence that stands for damage
            raise ProviderError(
                self._speech.name, Failure.GARBAGE, f"nothing of it is {self._speech.audio_format}"
            )
        self.outcome = "cut" if self.is_endless() else "complete"
        return mulaw

    def say_how_it_went(self) -> None:
        characters = len(self._order.text)  # what vendors bill, heard or not
        if self._first_frame_ms is None:
            if self.outcome == "interrupted":  # a failure is told already, and not billed
                log.info("speech.left", provider=self._speech.name, characters=characters)
            return
        report = self._converter.report
        log.info(
            "speech.rendered",
            provider=self._speech.name,
            characters=characters,
            outcome=self.outcome,
            audio_format=self._speech.audio_format,
            bytes_in=report.bytes_in,
            skipped_bytes=report.skipped_bytes,
            frames_out=report.frames_out,
            bytes_out=report.bytes_out,
            audio_ms=report.audio_ms,
            convert_ms=round(report.cpu_ms, 2),
            waited_ms=round(self._order.waited_s * 1000, 1),
            ttfb_ms=self._ttfb_ms,
            first_frame_ms=self._first_frame_ms,
        )

    def _timed(self, mulaw: bytes) -> bytes:
        if mulaw and self._first_frame_ms is None:
            self._first_frame_ms = self._elapsed_ms()
        return mulaw

    def _elapsed_ms(self) -> float:
        return round((clock.now() - self._requested_at) * 1000, 1)
