"""What the turn machine waits for: named instants, of which the soonest is asked for."""

from enum import StrEnum


class Alarm(StrEnum):
    """What a floor waits for."""

    SILENCE = "silence"
    FILLER = "filler"
    TRANSCRIPT = "transcript"
    FALSE_START = "false_start"
    KEYS = "keys"
    MESSAGE = "message"


class Alarms:
    """At most one instant an alarm, in monotonic seconds; nothing rings by itself."""

    def __init__(self) -> None:
        self._at: dict[Alarm, float] = {}

    def set(self, alarm: Alarm, at: float) -> None:
        """Let it ring at that instant instead of any that was set before."""
        self._at[alarm] = at

    def cancel(self, *alarms: Alarm) -> None:
        for alarm in alarms:
            self._at.pop(alarm, None)

    def clear(self) -> None:
        self._at.clear()

    def due(self, now: float) -> list[Alarm]:
        """Those whose instant has come, the longest overdue first; they stay until `take`."""
        return sorted((alarm for alarm, at in self._at.items() if at <= now), key=self._at.__getitem__)

    def take(self, alarm: Alarm, now: float) -> bool:
        """Whether it is due still: one that rang before it may have cancelled or moved it."""
        if alarm not in self._at or self._at[alarm] > now:
            return False
        del self._at[alarm]
        return True

    def next(self) -> float | None:
        """The soonest instant; None while nothing is waited for."""
        return min(self._at.values(), default=None)

    def __contains__(self, alarm: Alarm) -> bool:
        return alarm in self._at
