"""Whether a stream still lives: a phone that has sent nothing for long is not there any more.

Twilio sends 50 messages a second from the first moment on. Marks and keys count as well as audio, so that a
line which leaves out silence is not taken for a dead one while it plays what we say.
"""

import asyncio
from dataclasses import dataclass

from app import clock

LOOK_S = 1.0  # seconds between two looks
GRACE_S = 1.0  # seconds past the time in which what has come can still be read, should we have stood still


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for which a stream may be silent; 0: as long as it likes."""

    at_first_s: float = 30.0
    later_s: float = 15.0


class Vigil:
    """Waits over one stream."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._wait_s = patience.at_first_s
        self._heard_at = clock.now()

    def heard(self) -> None:
        """Twilio has sent something of the call."""
        self._heard_at = clock.now()
        self._wait_s = self._patience.later_s

    @property
    def silent_s(self) -> float:
        """For how many seconds nothing has come."""
        return clock.now() - self._heard_at

    async def over(self) -> float:
        """Returns when the stream has been silent for too long: for how many seconds."""
        while True:
            await asyncio.sleep(LOOK_S)
            heard_at = self._heard_at
            if not self._wait_s or clock.now() - heard_at < self._wait_s:
                continue
            await asyncio.sleep(GRACE_S)
            if self._heard_at == heard_at:
                return clock.now() - heard_at
