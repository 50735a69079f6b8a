"""Is it the caller, or our own voice coming back? A gate by level, which learns how much this line swallows.

No network can tell: an echo is speech. But it is softer than what we played by the line's return loss, while
a person who means to interrupt is not. As long as the echo's delay is unknown it may be that of any syllable
of the last moments; once it is known the caller is heard between our syllables as well.
"""

from collections import deque
from dataclasses import dataclass
from itertools import islice
from operator import sub

from app.audio.frame import FRAME_MS
from app.hearing.echo_delay import LONGEST_FRAMES, EchoDelay
from app.hearing.ranges import check


@dataclass(frozen=True, slots=True)
class Margins:
    """How far below our level a frame may be and still be the caller's; measured in `bench/hearing_vad.py`.

    Raises:
        ValueError: when a number is out of its range.
    """

    start_db: float = 12.0
    """6-40, until the line is known: stops an echo of 15 dB return loss, not a caller 8 dB below us."""
    least_db: float = 6.0
    """0-40 and not above `start_db`: on the worst lines, while the delay is unknown."""
    aligned_least_db: float = 3.0
    """0-40: on the worst lines, once the delay is known and our echo is foreseen."""
    most_db: float = 24.0
    """6-60 and not below `start_db`: on the best lines; above, a room's noises would pass."""
    headroom_db: float = 6.0
    """0-20, below the learned return loss: how much an echo's level varies from syllable to syllable."""
    hold_db: float = 4.0
    """0-12, wider while the caller goes on, for soft syllables; 2 dB stay to the echo."""
    memory_ms: int = 700
    """100-1000: how late an echo is heard: half a second, and the network's own 150 ms."""
    hold_ms: int = 100
    """20-400: the caller's level is the loudest of this time, to bridge the dips between syllables."""
    learning_ms: int = 1_000
    """200-10000 of our speech, before the margin may widen: the echo itself needs its time to come back."""
    first_guess_ms: int = 300
    """100-10000 of our speech, before it may narrow: a bad line must not interrupt the first sentence."""

    def __post_init__(self) -> None:
        check(self, start_db=(6, 40), headroom_db=(0, 20), hold_db=(0, 12))
        check(self, least_db=(0, self.start_db), aligned_least_db=(0, 40), most_db=(self.start_db, 60))
        check(self, memory_ms=(100, 1_000), hold_ms=(FRAME_MS, 400))
        check(self, learning_ms=(200, 10_000), first_guess_ms=(100, 10_000))


MARGINS = Margins()
HEARD_DBFS = -50.0  # what we play below this makes no echo worth the name
MOST_AHEAD = 500  # frames noted before they are played: 10 s, twenty times the lead of playout

_SILENT_DBFS = -100.0  # what was not played
_TELLING_DB = 12.0  # below our loudest: what comes back of a softer moment may be the line's own noise
_EARLY_FRAMES = 2  # before its known delay an echo may come: Twilio's and our clocks are not one
_TAIL_DB = (0.0, 0.0, 3.0, 6.0, 9.0, 12.0, 15.0)  # by which it has died away so many frames after it
_DEEPEST_DB = 60  # return loss is counted in steps of 1 dB up to here
_LOW_SHARE = 0.1  # of the frames may be nearer to our level than the loss says: a caller's words among them
_TRUST = 8  # frames of the caller that weigh as much as one of ours; no more, since lines change
_RENEWED_FRAMES = 3  # the estimate is that old at most
_MEMORY_FRAMES = 1_000  # of ours; after these, half of what was learned is forgotten


class EchoGate:
    """One line's gate. `at_ms` is the caller's media time everywhere."""

    def __init__(self, margins: Margins = MARGINS) -> None:
        self._margins = margins
        self._ours = _OurVoice(margins.memory_ms)
        self._held: deque[float] = deque(maxlen=margins.hold_ms // FRAME_MS)  # dB below ours, frame by frame
        self._near = False  # the last frame, while we spoke
        self._loss = _ReturnLoss()
        self._delay = EchoDelay()

    def played(self, at_ms: int, level_dbfs: float) -> None:
        """Note one frame of ours: when the phone plays it (not when it was sent), and its level."""
        self._ours.ahead.append((at_ms, level_dbfs))

    def cleared(self, at_ms: int) -> None:
        """What was to be played from here on never will be."""
        ahead = self._ours.ahead
        while ahead and ahead[-1][0] >= at_ms:
            ahead.pop()

    def is_near(self, at_ms: int, level_dbfs: float) -> bool:
        """Take one caller frame: is it louder than our echo can be? Always so when we have been silent."""
        ours = self._ours
        ours.turn_to(at_ms)
        loudest_dbfs = ours.loudest_dbfs
        if loudest_dbfs <= HEARD_DBFS:
            self._held.append(_DEEPEST_DB)
            return True
        self._delay.hear(ours.level_dbfs, level_dbfs)
        delay, margin_db = self._delay.frames, self.margin_db
        echo_dbfs = loudest_dbfs if delay is None else ours.echo_dbfs(delay)
        # Between our syllables, too, nobody who means to interrupt is `most_db` below us.
        least_dbfs = max(echo_dbfs, loudest_dbfs - self._margins.most_db + margin_db)
        self._held.append(least_dbfs - level_dbfs)
        loss_db = min(self._held)
        self._near = loss_db < (self._wider(margin_db) if self._near else margin_db)
        if echo_dbfs > loudest_dbfs - _TELLING_DB:
            # What stands out of a line that we know is the caller, and must not teach us a worse line now.
            self._loss.learn(loss_db, 1 if self._near and self._known else _TRUST)
        return self._near

    def speaking_ms(self, at_ms: int) -> int | None:
        """For how long we have been speaking, pauses included; None when nothing of ours is being played."""
        self._ours.turn_to(at_ms)
        return self._ours.speaking_ms(at_ms)

    @property
    def margin_db(self) -> float:
        """The margin in force."""
        margins, learned_ms = self._margins, self._loss.frames * FRAME_MS
        if learned_ms < margins.first_guess_ms:
            return margins.start_db
        wanted_db = self._loss.estimate_db - margins.headroom_db
        least_db = margins.least_db if self._delay.frames is None else margins.aligned_least_db
        return min(max(wanted_db, least_db), margins.most_db if self._known else margins.start_db)

    def _wider(self, margin_db: float) -> float:
        if not self._known:
            return margin_db
        return max(margin_db, min(margin_db + self._margins.hold_db, self._loss.estimate_db - 2))

    @property
    def _known(self) -> bool:
        return self._loss.frames * FRAME_MS >= self._margins.learning_ms


class _OurVoice:
    """What the phone plays of ours, frame by frame, up to the caller's present frame."""

    def __init__(self, memory_ms: int) -> None:
        self.ahead: deque[tuple[int, float]] = deque(maxlen=MOST_AHEAD)
        self._memory_ms = memory_ms
        self._frame = -1  # the present one: media time in frames
        longest = max(memory_ms // FRAME_MS, LONGEST_FRAMES) + len(_TAIL_DB)
        self._levels = deque([_SILENT_DBFS] * longest, longest)  # the present frame's first
        self._began_ms = 0
        self._last_ms: int | None = None
        self._loudest = (-1, _SILENT_DBFS)  # frame and level; looked for anew only when it has passed

    def turn_to(self, at_ms: int) -> None:
        """What is being played, and what is past."""
        passed = at_ms // FRAME_MS - self._frame
        if passed > 0:
            self._levels.extendleft([_SILENT_DBFS] * min(passed, self._levels.maxlen or 0))
            self._frame += passed
        while self.ahead and self.ahead[0][0] <= at_ms:
            self._play(*self.ahead.popleft())

    def _play(self, start_ms: int, level_dbfs: float) -> None:
        if self._last_ms is None or start_ms - self._last_ms > self._memory_ms:
            self._began_ms = start_ms
        self._last_ms = start_ms
        ago = self._frame - start_ms // FRAME_MS
        if ago < len(self._levels):
            self._levels[ago] = max(self._levels[ago], level_dbfs)
            if level_dbfs >= self._loudest[1]:
                self._loudest = (self._frame - ago, level_dbfs)

    def speaking_ms(self, at_ms: int) -> int | None:
        if self._last_ms is None or at_ms - self._last_ms >= 2 * FRAME_MS:
            return None
        return at_ms - self._began_ms

    @property
    def level_dbfs(self) -> float:
        return self._levels[0]

    @property
    def loudest_dbfs(self) -> float:
        """Of all that may still come back."""
        frame, level_dbfs = self._loudest
        memory = self._memory_ms // FRAME_MS
        if level_dbfs > _SILENT_DBFS and self._frame - frame >= memory:
            level_dbfs, ago = max(zip(islice(self._levels, memory), range(memory), strict=False))
            self._loudest = (self._frame - ago, level_dbfs)
        return level_dbfs

    def echo_dbfs(self, delay_frames: int) -> float:
        """The loudest that comes back just now, were nothing lost on the way."""
        early = islice(self._levels, max(delay_frames - _EARLY_FRAMES, 0), delay_frames)
        tail = islice(self._levels, delay_frames, delay_frames + len(_TAIL_DB))
        level_dbfs: float = max(*early, *map(sub, tail, _TAIL_DB))
        return level_dbfs


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
