"""When an utterance begins, pauses, goes on and ends: a pure machine on verdicts and words, in media time."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from app.audio.frame import FRAME_MS
from app.hearing.activity import SENSITIVITY, Activity, Sensitivity
from app.hearing.completeness import Completeness, completeness
from app.hearing.ranges import check


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things last, all in milliseconds of media time; measured in `bench/hearing_vad.py`.

    Raises:
        ValueError: when a number is out of its range.
    """

    pause_ms: int = 300
    """100-1000, silence: the recogniser may finish. Hardly an utterance of the bench is cut by it."""
    finished_ms: int = 500
    """100-5000 and not below `pause_ms`: silence that ends an utterance whose words sound finished."""
    open_ms: int = 900
    """`finished_ms`-5000: when the words do not tell, or there are none yet; people stop to think."""
    unfinished_ms: int = 1_500
    """`open_ms`-10000: after "and", "um", half a number, and when digits are expected, read off in groups."""
    shortest_ms: int = 120
    """0-1000, voiced; less was a noise. The shortest word of the bench, a soft clipped "two", has 140."""
    longest_ms: int = 20_000
    """2000-120000, an utterance: somebody dictates, or a television is on; recognisers have limits."""
    deaf_ms: int = 300
    """0-5000, at the start of what we say: the caller's last word, or an echo canceller that still learns."""

    def __post_init__(self) -> None:
        check(
            self, pause_ms=(100, 1_000), finished_ms=(self.pause_ms, 5_000), open_ms=(self.finished_ms, 5_000)
        )
        check(self, unfinished_ms=(self.open_ms, 10_000), shortest_ms=(0, 1_000))
        check(self, longest_ms=(2_000, 120_000), deaf_ms=(0, 5_000))


TIMING = Timing()


@dataclass(frozen=True, slots=True)
class UtteranceBegan:
    """Somebody speaks: for the recogniser, with what was heard shortly before."""

    at_ms: int  # of the decision, as in all of these
    voice_ms: int  # when the voice began


@dataclass(frozen=True, slots=True)
class UtterancePaused:
    """Perhaps the end: time to ask the recogniser for its last word."""

    at_ms: int
    voice_ms: int  # when the voice ended


@dataclass(frozen=True, slots=True)
class UtteranceResumed:
    """It was not the end."""

    at_ms: int
    voice_ms: int  # when the voice began again


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """The caller has finished, or `longest_ms` is over (then without a pause before)."""

    at_ms: int
    voice_ms: int  # when the voice ended
    spoken_ms: int  # voiced time in it


@dataclass(frozen=True, slots=True)
class UtteranceDropped:
    """It was too short for speech; what began never was. Comes in place of the pause."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class BargedIn:
    """The caller insists while we speak; once in what we say, and again if it was not the same utterance."""

    at_ms: int
    voice_ms: int  # when that utterance's voice began


Event = UtteranceBegan | UtterancePaused | UtteranceResumed | UtteranceEnded | UtteranceDropped | BargedIn


class _State(Enum):
    LISTENING = "listening"
    TALKING = "talking"
    PAUSING = "pausing"


class Endpointing:
    """One line's utterances."""

    def __init__(self, timing: Timing = TIMING, sensitivity: Sensitivity = SENSITIVITY) -> None:
        self._timing = timing
        self._activity = Activity(sensitivity)
        self._state = _State.LISTENING
        self._now_ms = 0
        self._voice = _Voice()
        self._barged = False
        self._words = _Words()

    def expect(self, phrases: tuple[str, ...] = (), *, digits: bool = False) -> None:
        """What is likely to be said from now on, until the next call of this."""
        self._words.phrases = tuple(phrase.lower() for phrase in phrases)
        self._words.digits = digits

    def transcribed(self, text: str) -> list[Event]:
        """All words of the present utterance so far, interim or final."""
        self._words.text = text
        return list(self._advance())

    def hear(
        self, at_ms: int, probability: float, *, near: bool = True, speaking_ms: int | None = None
    ) -> list[Event]:
        """Take one frame.

        Args:
            at_ms: media time of its start; what is missing since the frame before was silence.
            probability: of speech.
            near: loud enough to be more than our own echo.
            speaking_ms: for how long we have been speaking; None when we are not.
        """
        events = self.pass_time(at_ms) if at_ms >= self._now_ms + FRAME_MS else []
        self._now_ms = at_ms + FRAME_MS  # back again, if time had passed for frames that were only late
        if self._activity.hear(probability, near=near) and self._state is _State.TALKING:
            self._voice.goes_on(self._now_ms)
        if self._state is not _State.LISTENING or self._activity.started:
            events += self._advance()
        if speaking_ms is None:
            self._barged = False
        else:
            events += self._interruptions(speaking_ms)
        return events

    def pass_time(self, at_ms: int) -> list[Event]:
        """No frame has come up to here: silence. One that does come later still counts at its own time."""
        if at_ms > self._now_ms:
            self._now_ms = at_ms
            self._activity.forget()
        return list(self._advance())

    @property
    def patience_ms(self) -> int:
        """The silence that would end the present utterance, as its words stand."""
        if self._words.digits:
            return self._timing.unfinished_ms
        match completeness(self._words.text, self._words.phrases):
            case Completeness.FINISHED:
                return self._timing.finished_ms
            case Completeness.OPEN:
                return self._timing.open_ms
            case Completeness.UNFINISHED:
                return self._timing.unfinished_ms

    def _advance(self) -> Iterator[Event]:
        """All that follows from the present time and the last frames."""
        if self._state is _State.LISTENING and self._activity.started:
            yield self._begin()
        if self._state is _State.TALKING:
            yield from self._talk()
        if self._state is _State.PAUSING:
            yield from self._pause()

    def _begin(self) -> Event:
        self._state = _State.TALKING
        self._words.text = ""
        self._voice = _Voice(
            began_ms=self._now_ms - self._activity.since_ms,
            ended_ms=self._now_ms,
            spoken_ms=self._activity.voiced_ms,
        )
        return UtteranceBegan(self._now_ms, self._voice.began_ms)

    def _talk(self) -> Iterator[Event]:
        if self._now_ms - self._voice.ended_ms >= self._timing.pause_ms:
            if self._voice.spoken_ms < self._timing.shortest_ms:
                self._rest()
                yield UtteranceDropped(self._now_ms)
            else:
                self._state = _State.PAUSING
                yield UtterancePaused(self._now_ms, self._voice.ended_ms)
        elif self._now_ms - self._voice.began_ms >= self._timing.longest_ms:
            yield self._end()

    def _pause(self) -> Iterator[Event]:
        if self._activity.resumed:
            self._state = _State.TALKING
            self._voice.goes_on(self._now_ms)
            yield UtteranceResumed(self._now_ms, self._now_ms - self._activity.since_ms)
        # A voiced frame may be the first of more: the next two will tell.
        elif not self._activity.voiced and self._now_ms - self._voice.ended_ms >= self.patience_ms:
            yield self._end()

    def _end(self) -> Event:
        self._rest()
        return UtteranceEnded(self._now_ms, self._voice.ended_ms, self._voice.spoken_ms)

    def _rest(self) -> None:
        self._state = _State.LISTENING
        self._barged = False
        self._activity.forget()

    def _interruptions(self, speaking_ms: int) -> Iterator[Event]:
        if speaking_ms >= self._timing.deaf_ms and not self._barged and self._is_insistent:
            self._barged = True
            yield BargedIn(self._now_ms, self._voice.began_ms)

    @property
    def _is_insistent(self) -> bool:
        return self._state is not _State.LISTENING and self._activity.insistent


@dataclass(slots=True)
class _Voice:
    """The voice of the present utterance."""

    began_ms: int = 0
    ended_ms: int = 0  # so far
    spoken_ms: int = 0

    def goes_on(self, now_ms: int) -> None:
        self.ended_ms = now_ms
        self.spoken_ms += FRAME_MS


@dataclass(slots=True)
class _Words:
    """The words of the present utterance, and those that are awaited."""

    text: str = ""
    phrases: tuple[str, ...] = ()
    digits: bool = False
