"""Is it the caller, or our own voice coming back? A gate by level, which learns how much this line swallows.

No network can tell: an echo is speech. But it is softer than what we played by the line's return loss, while
a person who means to interrupt is not.
"""

from collections import deque
from dataclasses import dataclass

from app.audio.frame import FRAME_MS


@dataclass(frozen=True, slots=True)
class Margins:
    """How far below our level a frame may be and still be the caller's; see `bench/hearing_vad.py`."""

    start_db: float = 16.0
    """Until the line is known: stops an echo of 20 dB return loss, lets through a caller 8 dB below us."""
    least_db: float = 12.0
    """On the worst lines: beneath, a caller would have to shout."""
    most_db: float = 24.0
    """On the best lines: above, a room's noises would pass."""
    headroom_db: float = 6.0
    """Below the learned return loss: how much an echo's level varies from syllable to syllable."""
    hold_db: float = 4.0
    """Wider while the caller goes on, so that a soft syllable does not stop them; 2 dB stay to the echo."""
    memory_ms: int = 600
    """Our level is the loudest frame of this time: to a mobile phone and back takes up to half a second."""
    hold_frames: int = 5
    """The caller's level is the loudest of these frames: 100 ms bridge the dips between syllables."""
    learning_ms: int = 1_000
    """Of our speech, before the margin may widen: the echo itself needs its time to come back."""
    first_guess_ms: int = 300
    """Of our speech, before it may narrow: a bad line must not interrupt the first sentence."""


MARGINS = Margins()
HEARD_DBFS = -50.0  # what we play below this makes no echo worth the name
MOST_AHEAD = 500  # frames noted before they are played: 10 s, twenty times the lead of playout

_DEEPEST_DB = 60  # return loss is counted in steps of 1 dB up to here
_LOW_SHARE = (
    0.1  # of the frames may be nearer to our level than the loss says: a caller's own words among them
)
_TRUST = (
    8  # frames of the caller that weigh as much as one of ours; not more, since lines change when phones move
)
_RENEWED_FRAMES = 5  # the estimate is that old at most
_MEMORY_FRAMES = 1_000  # of ours; after these, half of what was learned is forgotten


class EchoGate:
    """One line's gate. `at_ms` is the caller's media time everywhere."""

    def __init__(self, margins: Margins = MARGINS) -> None:
        self._margins = margins
        self._ahead: deque[tuple[int, float]] = deque(maxlen=MOST_AHEAD)
        self._ours: deque[tuple[float, int]] = (
            deque()
        )  # levels of what was played within the memory, and when
        self._began_ms = 0  # of our speech
        self._held: deque[float] = deque(maxlen=margins.hold_frames)
        self._near = False  # the last frame, while we spoke
        self._loss = _ReturnLoss()

    def played(self, at_ms: int, level_dbfs: float) -> None:
        """Note one frame of ours: when the phone plays it (not when it was sent), and its level."""
        self._ahead.append((at_ms, level_dbfs))

    def cleared(self, at_ms: int) -> None:
        """What was to be played from here on never will be."""
        while self._ahead and self._ahead[-1][0] >= at_ms:
            self._ahead.pop()

    def is_near(self, at_ms: int, level_dbfs: float) -> bool:
        """Take one caller frame: is it louder than our echo can be? Always so when we have been silent."""
        self._held.append(level_dbfs)
        self._turn_to(at_ms)
        if not self._ours:
            return True
        ours_dbfs = max(self._ours)[0]
        if ours_dbfs <= HEARD_DBFS:
            return True
        loss_db = ours_dbfs - max(self._held)
        self._near = loss_db < (self._wider_db if self._near else self.margin_db)
        # What stands out of a line that we know is the caller, and must not teach us a worse line just now.
        self._loss.learn(loss_db, 1 if self._near and self._known else _TRUST)
        return self._near

    def speaking_ms(self, at_ms: int) -> int | None:
        """For how long we have been speaking, pauses included; None when nothing of ours is being played."""
        self._turn_to(at_ms)
        playing = bool(self._ours) and at_ms - self._ours[-1][1] < 2 * FRAME_MS
        return at_ms - self._began_ms if playing else None

    def _turn_to(self, at_ms: int) -> None:
        """What is being played, and what is past."""
        oldest_ms = at_ms - self._margins.memory_ms
        while self._ours and self._ours[0][1] <= oldest_ms:
            self._ours.popleft()
        while self._ahead and self._ahead[0][0] <= at_ms:
            start_ms, level_dbfs = self._ahead.popleft()
            if not self._ours or start_ms - self._ours[-1][1] > self._margins.memory_ms:
                self._began_ms = start_ms
            self._ours.append((level_dbfs, start_ms))

    @property
    def margin_db(self) -> float:
        """The margin in force."""
        margins, learned_ms = self._margins, self._loss.frames * FRAME_MS
        if learned_ms < margins.first_guess_ms:
            return margins.start_db
        wanted_db = self._loss.estimate_db - margins.headroom_db
        most_db = margins.most_db if self._known else margins.start_db
        return min(max(wanted_db, margins.least_db), most_db)

    @property
    def _wider_db(self) -> float:
        if not self._known:
            return self.margin_db
        return max(self.margin_db, min(self.margin_db + self._margins.hold_db, self._loss.estimate_db - 2))

    @property
    def _known(self) -> bool:
        return self._loss.frames * FRAME_MS >= self._margins.learning_ms


class _ReturnLoss:
    """How often our level was how far above the caller's, while we spoke."""

    def __init__(self) -> None:
        self.frames = 0  # learned from, ever
        self.estimate_db = 0  # nothing is known: the narrowest margin
        self._counts = [0] * (_DEEPEST_DB + 1)
        self._total = 0

    def learn(self, loss_db: float, weight: int) -> None:
        self.frames += 1
        self._total += weight
        self._counts[min(max(int(loss_db), 0), _DEEPEST_DB)] += weight
        if self._total >= _MEMORY_FRAMES * _TRUST:
            self._counts = [count // 2 for count in self._counts]
            self._total = sum(self._counts)
        if self.frames % _RENEWED_FRAMES == 0:
            self.estimate_db = self._low_db()

    def _low_db(self) -> int:
        """The echo at its loudest, but for a few frames; the rest of the time it is softer."""
        seen = 0
        for loss_db, count in enumerate(self._counts):
            seen += count
            if seen > self._total * _LOW_SHARE:
                return loss_db
        return _DEEPEST_DB
