"""The limit in force: what is configured, what the vendor says, what its refusals taught; pure."""

import math

MARGIN_SHARE = 0.05  # of the vendor's own figure: its count and ours are never taken at the same moment
RECOVERY_S = 10.0  # seconds without a refusal until one generation more is tried
BURST_S = 2.0  # seconds in which refusals belong together: they were all begun under the old limit
EARLY_S = 0.001  # a timer may ring early: uvloop counts milliseconds, and sums of seconds are rounded
UNKNOWN = 5  # generations, where neither operator nor vendor has said: what the smaller plans allow


class EffectiveLimit:
    """One provider's limit; `configured` is None where the operator leaves it to the vendor."""

    def __init__(self, configured: int | None = None) -> None:
        self.configured = configured
        self._vendor: int | None = None
        self._learned: int | None = None
        self._changed_at = -math.inf

    def vendor_allows(self, maximum: int | None) -> None:
        """The vendor's own word; None: it has none. A margin is left, but never nothing."""
        if maximum is None or maximum < 1:
            self._vendor = None
        else:
            self._vendor = max(1, maximum - max(1, math.ceil(maximum * MARGIN_SHARE)))

    def refused(self, now: float, in_use: int) -> None:
        """The vendor refused one of `in_use` generations: one less is allowed; of a burst each counts."""
        known = self.current(now)
        in_burst = self._learned is not None and now - self._changed_at < BURST_S
        self._learned = max(1, (known if in_burst else min(known, in_use)) - 1)
        self._changed_at = now

    def current(self, now: float) -> int:
        """The limit now; it recovers by one for every quiet while."""
        ceiling = self._ceiling()
        if self._learned is not None:
            steps = int((now - self._changed_at + EARLY_S) // RECOVERY_S)
            self._learned += steps
            self._changed_at += steps * RECOVERY_S
            if self._learned >= ceiling:
                self._learned = None
        return ceiling if self._learned is None else self._learned

    def next_change(self) -> float | None:
        """When the limit recovers next; None while nothing was learned."""
        return None if self._learned is None else self._changed_at + RECOVERY_S

    def _ceiling(self) -> int:
        known = [limit for limit in (self.configured, self._vendor) if limit is not None]
        return min(known, default=UNKNOWN)
