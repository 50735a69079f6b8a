"""How long our voice takes to the caller's phone and back, found by comparing the two loudnesses."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

LONGEST_FRAMES = 32  # of delay that are looked for: 640 ms, a mobile phone over a satellite

_HISTORY_FRAMES = 250  # that are compared: 5 s, a sentence; longer ones bring changes of the line late
_LEAST_FRAMES = 60  # 1.2 s, five syllables: fewer are alike by chance
_RENEWED = 4  # th of the history must be new for a new guess: soon at first, later each 1.2 s
_ALIKE = 0.6  # correlation of an echo; another's words have 0.3, seldom 0.5
_BETTER = 0.1  # correlation by which another delay must surpass the one that is known
_QUIET_DBFS = -60.0  # differences beneath are line noise


class EchoDelay:
    """One line's delay; `None` while nothing like our voice has come back."""

    def __init__(self) -> None:
        self.frames: int | None = None
        self._ours: deque[float] = deque(maxlen=_HISTORY_FRAMES + LONGEST_FRAMES)
        self._theirs: deque[float] = deque(maxlen=_HISTORY_FRAMES)
        self._unseen = 0  # frames since the last guess

    def hear(self, ours_dbfs: float, theirs_dbfs: float) -> None:
        """Take the levels of one frame, while we speak or may still be heard."""
        self._ours.append(max(ours_dbfs, _QUIET_DBFS))
        self._theirs.append(max(theirs_dbfs, _QUIET_DBFS))
        self._unseen += 1
        if len(self._theirs) >= _LEAST_FRAMES and self._unseen * _RENEWED >= len(self._theirs):
            self._unseen = 0
            self._guess()

    def _guess(self) -> None:
        alike = _correlations(np.array(self._ours), np.array(self._theirs))
        best = int(alike.argmax())
        if alike[best] < _ALIKE or (self.frames is not None and alike[best] < alike[self.frames] + _BETTER):
            return
        self.frames = best


def _correlations(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """How alike the two are, by the number of frames that ours is earlier."""
    length = len(theirs)
    before = np.concatenate([np.full(length + LONGEST_FRAMES - len(ours), _QUIET_DBFS), ours])
    # Row k is ours, k frames earlier.
    rows = np.lib.stride_tricks.sliding_window_view(before, length)[::-1]
    theirs = theirs - theirs.mean()
    spread = np.einsum("ij,ij->i", rows, rows) - rows.sum(axis=1) ** 2 / length
    alike: NDArray[np.float64] = (rows @ theirs) / np.sqrt(np.maximum(spread * (theirs @ theirs), 1e-6))
    return alike
