"""A bad line: when what was sent at `now` arrives. TCP keeps the order, so lateness is all there is."""

import random

from app.simulator.plan import Line


class Delays:
    """The times of arrival on one line, repeatable by its seed."""

    def __init__(self, line: Line, start: float) -> None:
        self._line = line
        self._start = start
        self._random = random.Random(line.seed)
        self._last = start

    def due(self, now: float) -> float:
        """When a message that is sent at `now` (monotonic seconds) is to be delivered."""
        late_s = self._random.uniform(0, self._line.jitter_ms / 1000) if self._line.jitter_ms else 0.0
        self._last = max(self._last, now + late_s, self._stalled_until(now))
        return self._last

    def _stalled_until(self, now: float) -> float:
        every_s = self._line.stall_every_ms / 1000
        if not every_s:
            return now
        count, into_s = divmod(now - self._start, every_s)
        stalled = count >= 1 and into_s < self._line.stall_ms / 1000
        return self._start + count * every_s + self._line.stall_ms / 1000 if stalled else now
