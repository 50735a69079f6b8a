"""One call's listening: the ear's events go to a recogniser, what comes of them to the turns."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from app import clock
from app.conversation import turn_port as turns
from app.conversation.port import EarsAwaited, Expect, HearingLost, KeyPressed, UtteranceHeard
from app.errors import AtCapacity, ProviderError
from app.hearing import ear as ears
from app.hearing.endpointing import (
    BargedIn,
    UtteranceBegan,
    UtteranceDropped,
    UtteranceEnded,
    UtterancePaused,
    UtteranceResumed,
)
from app.hearing.port import Listener, OnPosition, Transcript
from app.log import log

LONGEST_HEARD = 30 * 8000  # bytes of an utterance that can be played back: half a minute
PLACE_NEWS_S = 15.0  # seconds between two announcements of a caller's place in line


class Recognisers(Protocol):
    """Where a call gets its recogniser from."""

    def listen(
        self, phrases: Sequence[str] = (), *, on_position: OnPosition | None = None
    ) -> AbstractAsyncContextManager[Listener]:
        """Open a session, as `hearing.port.Hearing` does."""


class Utterance:
    """What is known of the turn the caller is taking: one or more stretches of speech, and their words."""

    def __init__(self) -> None:
        self.pending: set[int] = set()  # stretches whose final transcript is due
        self.finals: dict[int, Transcript] = {}
        self.current = 0
        self.has_ended = False
        self.mulaw = bytearray()

    def text(self, interim: str = "") -> str:
        words = [self.finals[number].text for number in sorted(self.finals)]
        return " ".join(part for part in (*words, interim) if part)

    @property
    def confidence(self) -> float:
        return min((final.confidence for final in self.finals.values() if final.text), default=1.0)


class Listening:
    """The caller's side of one call; `ear` is fed by the call, `judge` by the process's tick."""

    def __init__(self, ear: ears.Ear, *, tell: Callable[[turns.TurnFact], None]) -> None:
        self.ear = ear
        self.recorded: bytearray | None = None  # a message being left
        self._tell = tell
        self._listener: Listener | None = None
        self._last_heard = b""
        self._turn = Utterance()
        self._place_told_at = -PLACE_NEWS_S

    @property
    def last_heard(self) -> bytes:
        """The audio of the utterance that the caller ended last, mu-law; of a long one the end."""
        return self._last_heard

    def hear(self, at_ms: int, mulaw: bytes) -> None:
        """The caller's audio, with Twilio's timestamp."""
        self.ear.hear(at_ms, mulaw)
        if self.recorded is not None:
            self.recorded += mulaw

    def expect(self, expected: Expect) -> None:
        """What is likely to be said next: endings are judged by it."""
        self.ear.endpoints.expect(expected.phrases, digits=expected.digits)

    async def run(self, recognisers: Recognisers | None, phrases: Sequence[str]) -> None:
        """Hold a recogniser for the length of the call; without one the call goes on with keys."""
        if recognisers is not None:
            await self._recognise(recognisers, phrases)
        self._tell(HearingLost())

    def judge(self, events: list[ears.Event]) -> None:
        """Take what the ear made of the last frames."""
        for event in events:
            self._hear(event)

    def _hear(self, event: ears.Event) -> None:
        match event:
            case BargedIn(at_ms=at_ms):
                self._tell(turns.CallerBargedIn(at_ms))
            case ears.KeyHeard(key=key):
                self._tell(KeyPressed(key))
            case ears.UtteranceAudio(mulaw=mulaw):
                self._pass_on(mulaw)
            case _:
                self._follow(event)

    def _follow(self, event: ears.Event) -> None:
        match event:
            case UtteranceBegan(voice_ms=voice_ms):
                self._turn = Utterance()
                self._begin_stretch()
                self._tell(turns.CallerBegan(voice_ms))
            case UtteranceResumed():
                self._begin_stretch()
            case UtterancePaused():
                self._end_stretch()
            case UtteranceDropped(at_ms=at_ms):
                self._drop_stretch()
                self._tell(turns.NoiseHeard(at_ms))
            case UtteranceEnded(at_ms=at_ms, voice_ms=voice_ms):
                self._end_turn(at_ms, voice_ms)

    def _begin_stretch(self) -> None:
        if self._listener is not None and self.recorded is None:
            self._turn.current = self._listener.begin_utterance()

    def _pass_on(self, mulaw: bytes) -> None:
        self._turn.mulaw += mulaw
        del self._turn.mulaw[:-LONGEST_HEARD]
        if self.recorded is None and self._listener is not None and self._turn.current:
            self._listener.hear(mulaw)

    def _end_stretch(self) -> None:
        if self._listener is not None and self._turn.current:
            self._turn.pending.add(self._turn.current)
            self._turn.current = 0
            self._listener.end_utterance()

    def _drop_stretch(self) -> None:
        if self._listener is not None and self._turn.current:
            self._turn.current = 0
            self._listener.cancel_utterance()

    def _end_turn(self, at_ms: int, voice_ms: int) -> None:
        self._end_stretch()
        self._turn.has_ended = True
        self._last_heard = bytes(self._turn.mulaw)
        log.info(
            "hearing.utterance_ended", at_ms=at_ms, stretches=len(self._turn.finals) + len(self._turn.pending)
        )
        self._tell(turns.CallerStopped(voice_ms))
        self._tell_if_complete()

    async def _recognise(self, recognisers: Recognisers, phrases: Sequence[str]) -> None:
        try:
            async with recognisers.listen(phrases, on_position=self._wait_in_line) as self._listener:
                async for transcript in self._listener.transcripts():
                    self._understood(transcript)
        except AtCapacity as error:
            log.warning("hearing.refused", reason=str(error))
        except ProviderError as error:
            kind = error.kind.value
            log.warning("hearing.lost", provider=error.provider, kind=kind, reason=error.message)
        finally:
            self._listener = None

    def _wait_in_line(self, position: int) -> None:
        """Tell the caller, but not of every step forward; place 0 is their turn."""
        now = clock.now()
        if position and now - self._place_told_at >= PLACE_NEWS_S:
            self._place_told_at = now
            self._tell(EarsAwaited(position))

    def _understood(self, transcript: Transcript) -> None:
        turn = self._turn
        if transcript.final:
            turn.finals[transcript.utterance] = transcript
            turn.pending.discard(transcript.utterance)
        text = turn.text("" if transcript.final else transcript.text)
        if text and not turn.has_ended:
            self._tell(turns.Interim(text))
            self.judge(list(self.ear.endpoints.transcribed(text)))
        if transcript.final:
            self._tell_if_complete()

    def _tell_if_complete(self) -> None:
        turn = self._turn
        if not turn.has_ended or turn.pending or (self._listener is None and not turn.finals):
            return
        self._turn = Utterance()
        log.info("hearing.transcribed", confidence=turn.confidence, **{"pii.text": turn.text()})
        self._tell(UtteranceHeard(turn.text(), turn.confidence))
