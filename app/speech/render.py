"""A sentence as frames: a provider, the converter behind it, and the one log line that says how it went."""

from collections.abc import AsyncGenerator

from app import clock
from app.audio.converter import Converter
from app.errors import Failure, ProviderError
from app.log import log
from app.speech.port import Speech, Spoken


async def render(speech: Speech, text: str) -> AsyncGenerator[bytes, None]:
    """Say one sentence as mu-law, always whole frames of 160 bytes; blank text gives none.

    To be used inside `contextlib.aclosing`: closing it in mid-sentence frees the provider.

    Raises:
        ProviderError: the provider failed, or sent nothing that could be made audible.
    """
    if not text.strip():
        return
    rendering = _Rendering(speech)
    log.debug("speech.requested", provider=speech.name, characters=len(text))
    try:
        async with speech.speak(text) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Spoken):
                    continue
                if mulaw := rendering.feed(chunk):
                    yield mulaw
        if mulaw := rendering.finish():
            yield mulaw
    except ProviderError as error:
        rendering.outcome = "failed"
        log.warning("provider.failed", provider=speech.name, kind=error.kind.value, reason=error.message)
        raise
    finally:
        rendering.say_how_it_went()


class _Rendering:
    """One sentence on its way through the converter, measured."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._converter = Converter(speech.audio_format)
        self._requested_at = clock.now()
        self._ttfb_ms: float | None = None
        self._first_frame_ms: float | None = None
        self.outcome = "interrupted"  # until it is known better

    def feed(self, chunk: bytes) -> bytes:
        if self._ttfb_ms is None:
            self._ttfb_ms = self._elapsed_ms()
            log.debug("speech.first_byte", provider=self._speech.name, ttfb_ms=self._ttfb_ms)
        return self._timed(self._converter.feed(chunk))

    def finish(self) -> bytes:
        mulaw = self._timed(self._converter.finish())
        report = self._converter.report
        if report.audio_ms <= report.concealed_ms:  # nothing, or only the silence that stands for damage
            raise ProviderError(
                self._speech.name, Failure.GARBAGE, f"nothing of it is {self._speech.audio_format}"
            )
        self.outcome = "complete"
        return mulaw

    def say_how_it_went(self) -> None:
        if self._first_frame_ms is None:
            return
        report = self._converter.report
        log.info(
            "speech.rendered",
            provider=self._speech.name,
            outcome=self.outcome,
            audio_format=self._speech.audio_format,
            bytes_in=report.bytes_in,
            skipped_bytes=report.skipped_bytes,
            frames_out=report.frames_out,
            bytes_out=report.bytes_out,
            audio_ms=report.audio_ms,
            convert_ms=round(report.cpu_ms, 2),
            ttfb_ms=self._ttfb_ms,
            first_frame_ms=self._first_frame_ms,
        )

    def _timed(self, mulaw: bytes) -> bytes:
        if mulaw and self._first_frame_ms is None:
            self._first_frame_ms = self._elapsed_ms()
        return mulaw

    def _elapsed_ms(self) -> float:
        return round((clock.now() - self._requested_at) * 1000, 1)
