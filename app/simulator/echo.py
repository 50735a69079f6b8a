"""The caller's handset, which lets a part of what it plays into its microphone."""

from collections import deque

import numpy as np

from app.audio import mulaw as g711
from app.audio.frame import FRAME_BYTES, FRAME_MS, SILENCE
from app.simulator.plan import Line

LOUDEST = 32_767


class Echo:
    """One handset, in media time: what comes back, mixed with what its owner says."""

    def __init__(self, line: Line) -> None:
        self._gain = None if line.echo_db is None else 10 ** (line.echo_db / 20)
        self._way: deque[bytes | None] = deque([None] * (line.echo_delay_ms // FRAME_MS))

    def mixed(self, heard: bytes | None, said: bytes | None) -> bytes | None:
        """What the microphone takes up in 20 ms, in which the ear is played `heard`; None is silence."""
        if self._gain is None:
            return said
        self._way.append(heard)
        back = self._way.popleft()
        if back is None:
            return said
        own = g711.decode(said or SILENCE * FRAME_BYTES)
        both = np.rint(own + self._gain * g711.decode(back))
        return g711.encode(np.clip(both, -LOUDEST, LOUDEST).astype(np.int16))
