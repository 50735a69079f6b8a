"""When is somebody speaking: single frames are voiced or not, and several together are evidence enough."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from app.audio.frame import FRAME_MS
from app.hearing.ranges import check


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How sure the network must be, and for how long; measured in `bench/hearing_vad.py`.

    Evidence is milliseconds of sure speech: a frame counts by where its probability is between `doubt` and
    `sure`, so that a soft word counts at last, a clear one soon, and a few frames, however sure, not at all.

    Raises:
        ValueError: when a number is out of its range.
    """

    doubt: float = 0.1
    """Probability, 0-0.5: no evidence up to here; most of what is not speech stays below it."""
    sure: float = 0.7
    """Probability, 0.55-1: a frame is full evidence from here on; more says nothing about what is said."""
    on: float = 0.5
    """Probability, 0.1-0.95: a frame is voiced from here on; the network's own middle."""
    off: float = 0.35
    """Probability, 0.05-0.95 and not above `on`: still voiced, so that soft syllables leave no holes."""
    start_evidence_ms: float = 90.0
    """10-150 of `start_window_ms`: begin an utterance. Three times what any noise of the bench reaches."""
    start_window_ms: int = 200
    """60-400: the shortest word, with its stop consonant in it, is no longer."""
    resume_evidence_ms: float = 45.0
    """10-80 of `resume_window_ms`: go on after a pause; less is enough where speech was a moment ago."""
    resume_window_ms: int = 80
    """40-200: two syllables of the same word are no further apart."""
    barge_in_evidence_ms: float = 160.0
    """40-400 of `barge_in_window_ms`: interrupt us; a wrong stop costs more than a late one."""
    barge_in_window_ms: int = 280
    """80-600: with the network's own delay still within 260 ms of the first sound for nine of ten words."""

    def __post_init__(self) -> None:
        check(self, doubt=(0, 0.5), sure=(0.55, 1), on=(0.1, 0.95), off=(0.05, self.on))
        check(self, start_window_ms=(60, 400), resume_window_ms=(40, 200), barge_in_window_ms=(80, 600))
        check(self, start_evidence_ms=(10, min(150, self.start_window_ms)))
        check(self, resume_evidence_ms=(10, min(80, self.resume_window_ms)))
        check(self, barge_in_evidence_ms=(40, min(400, self.barge_in_window_ms)))


SENSITIVITY = Sensitivity()


class Activity:
    """The last frames of one line, as voiced or not, and as evidence of speech."""

    def __init__(self, sensitivity: Sensitivity = SENSITIVITY) -> None:
        self.voiced = False  # the last frame
        self._sensitivity = sensitivity
        self._likely = False  # by the network alone
        self._soft_ms = self._evidence_ms(
            sensitivity.off
        )  # what a frame gives that is rather speech than not
        longest_ms = max(
            sensitivity.start_window_ms, sensitivity.resume_window_ms, sensitivity.barge_in_window_ms
        )
        self._recent_ms: deque[float] = deque(
            maxlen=longest_ms // FRAME_MS
        )  # evidence, the last frame's first

    def hear(self, probability: float, *, near: bool = True) -> bool:
        """Take one frame: is it voiced? One that is not `near` is an echo of ourselves, and never counts."""
        least = self._sensitivity.off if self._likely else self._sensitivity.on
        self._likely = probability >= least
        self.voiced = self._likely and near
        self._recent_ms.appendleft(self._evidence_ms(probability) if near else 0.0)
        return self.voiced

    def forget(self) -> None:
        """What was heard so far belongs to nothing that comes."""
        self.voiced = self._likely = False
        self._recent_ms.clear()

    @property
    def started(self) -> bool:
        return self._sum(self._sensitivity.start_window_ms) >= self._sensitivity.start_evidence_ms

    @property
    def resumed(self) -> bool:
        return self._sum(self._sensitivity.resume_window_ms) >= self._sensitivity.resume_evidence_ms

    @property
    def insistent(self) -> bool:
        return self._sum(self._sensitivity.barge_in_window_ms) >= self._sensitivity.barge_in_evidence_ms

    @property
    def voiced_ms(self) -> int:
        """Time within the window of a start that is rather speech than not."""
        return sum(evidence_ms >= self._soft_ms for evidence_ms in self._start()) * FRAME_MS

    @property
    def since_ms(self) -> int:
        """How long ago the first of it began."""
        start = list(self._start())
        while len(start) > 1 and start[-1] < self._soft_ms:
            start.pop()
        return len(start) * FRAME_MS

    def _start(self) -> Iterator[float]:
        return islice(self._recent_ms, self._sensitivity.start_window_ms // FRAME_MS)

    def _sum(self, window_ms: int) -> float:
        """Evidence up to the last frame, if that one gives any."""
        if not self._recent_ms or not self._recent_ms[0]:
            return 0.0  # what happened happened before; most frames of a call are silent
        return sum(islice(self._recent_ms, window_ms // FRAME_MS))

    def _evidence_ms(self, probability: float) -> float:
        doubt, sure = self._sensitivity.doubt, self._sensitivity.sure
        return FRAME_MS * min(max((probability - doubt) / (sure - doubt), 0.0), 1.0)
