"""How long the caller heard nothing, told frame by frame: a load keeps no audio to look at afterwards."""

import numpy as np

from app.audio import mulaw
from app.audio.frame import FRAME_BYTES, FRAME_MS

LOUD = 300  # of 32,768; what a person would call sound, far above the noise of a line
LEAST_LOUD = 4  # samples of a frame; a click is no voice
_LEVELS = np.abs(mulaw.decode(bytes(range(256))).astype(np.int32))
QUIET_CODES = bytes(code for code in range(256) if _LEVELS[code] < LOUD)


def is_voiced(frame: bytes) -> bool:
    """Whether there is sound in 20 ms of mu-law; a third of a microsecond."""
    return len(frame.translate(None, QUIET_CODES)) >= LEAST_LOUD


class Silences:
    """Silences between the first sound of a call and the last one heard so far."""

    def __init__(self) -> None:
        self.longest_ms = 0
        self.between_ms: list[int] = []  # from the last sound of one stream to the first of the next
        self.gaps_ms: list[int] = []  # in which there was no stream at all; sounds do not matter
        self._quiet_ms: int | None = None  # None: nothing has been heard yet
        self._is_between = False

    def heard(self, mulaw_bytes: bytes) -> None:
        """The next of what the phone played."""
        for at in range(0, len(mulaw_bytes), FRAME_BYTES):
            if is_voiced(mulaw_bytes[at : at + FRAME_BYTES]):
                self._sound()
            else:
                self.lasted(FRAME_MS)

    def lasted(self, silent_ms: int) -> None:
        """Nothing was played for so long."""
        if self._quiet_ms is not None:
            self._quiet_ms += silent_ms

    def stream_changed(self) -> None:
        """What comes now is another stream's."""
        self._is_between = self._quiet_ms is not None

    def _sound(self) -> None:
        quiet_ms = self._quiet_ms or 0
        self.longest_ms = max(self.longest_ms, quiet_ms)
        if self._is_between:
            self.between_ms.append(quiet_ms)
            self._is_between = False
        self._quiet_ms = 0
