"""Voice activity of all calls: frames in, one batched network step a tick, one verdict a frame out."""

import heapq
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.audio import mulaw as g711
from app.audio.frame import FRAME_BYTES, SILENCE
from app.hearing.levelling import Levelling
from app.hearing.silero import CELLS, CONTEXT, WINDOW, Silero, State

SILENT_DBFS = -100.0  # stands for minus infinity; the smallest step of mu-law is at -72
LONGEST_BURST = (
    50  # frames of one call that wait for a step: 1 s, what a network may hold back and then deliver
)

_FULL_SCALE = 32_768.0
_SAMPLES = g711.decode(bytes(range(256))).astype(np.float32) / np.float32(_FULL_SCALE)  # by mu-law code
_SQUARES = np.square(_SAMPLES)
_MEAN = np.full(FRAME_BYTES, 1 / FRAME_BYTES, np.float32)
_FLOOR = np.float32(10 ** (SILENT_DBFS / 10))
_FIRST_LINES = 16  # places for state at the start; doubled when they are taken


class Verdict(NamedTuple):
    """What one frame of a caller is."""

    slot: int
    at_ms: int  # media time of the frame's first sample
    mulaw: bytes
    probability: (
        float  # of speech, 0..1, by the last whole window; a window is 32 ms, so a frame may repeat it
    )
    level_dbfs: float  # root mean square, `SILENT_DBFS` at least


class VadBank:
    """The voice activity of every live call of this process, in one object.

    Frames are pushed as they arrive, `step` is called once each 20 ms. It has neither thread nor task,
    and holds some 2 KiB for each call.
    """

    def __init__(self, network: Silero) -> None:
        self.dropped_frames = 0  # beyond `LONGEST_BURST`
        self._network = network
        self._lines: dict[int, _Line] = {}
        self._free: list[int] = []
        self._state = _zeros(_FIRST_LINES)
        self._levelling = Levelling(lines=_FIRST_LINES, window=WINDOW, context=CONTEXT)
        self._network.step(
            np.zeros((1, CONTEXT + WINDOW), np.float32), _zeros(1)
        )  # the first one takes 30 ms

    def __len__(self) -> int:
        return len(self._lines)

    def add(self) -> int:
        """Begin a line; its number may have been another call's, nothing else of it remains."""
        slot = heapq.heappop(self._free) if self._free else len(self._lines)
        if slot == len(self._state.hidden):
            more = _zeros(slot)
            self._state = State(*(np.concatenate(pair) for pair in zip(self._state, more, strict=True)))
            self._levelling.grow(slot)
        self._lines[slot] = _Line()
        self.forget(slot)
        return slot

    def remove(self, slot: int) -> None:
        """End a line; frames that wait for a step are dropped."""
        del self._lines[slot]
        heapq.heappush(self._free, slot)

    def forget(self, slot: int) -> None:
        """Let the line begin anew, after a time without audio; frames that wait keep their turn."""
        self._lines[slot].unheard = SILENCE * CONTEXT
        self._lines[slot].probability = 0.0
        self._levelling.forget(slot)
        for part in self._state:
            part[slot] = 0

    def push(self, slot: int, at_ms: int, mulaw: bytes) -> None:
        """Take one caller frame (160 bytes); the oldest one makes room when too many wait."""
        assert len(mulaw) == FRAME_BYTES
        waiting = self._lines[slot].waiting
        self.dropped_frames += len(waiting) == LONGEST_BURST
        waiting.append((at_ms, mulaw))

    def step(self) -> list[Verdict]:
        """Judge every frame pushed since the last step; a call's own in the order of their push."""
        verdicts: list[Verdict] = []
        # One round in a steady flow; a call whose frames came in a burst takes part in more.
        while waiting := [(slot, line) for slot, line in self._lines.items() if line.waiting]:
            heard = [(slot, line, *line.waiting.popleft()) for slot, line in waiting]
            full = [slot for slot, line, _, mulaw in heard if line.fills(mulaw)]
            if full:
                self._judge(full)
            levels = levels_dbfs(b"".join(mulaw for _, _, _, mulaw in heard))
            verdicts += [
                Verdict(slot, at_ms, mulaw, line.probability, level)
                for (slot, line, at_ms, mulaw), level in zip(heard, levels, strict=True)
            ]
        return verdicts

    def _judge(self, slots: list[int]) -> None:
        """One step of the network for these lines together."""
        codes = b"".join([self._lines[slot].take() for slot in slots])
        windows = _SAMPLES.take(np.frombuffer(codes, np.uint8)).reshape(len(slots), -1)
        windows = self._levelling.level(slots, windows)
        before = State(*(part[slots] for part in self._state))
        probabilities, after = self._network.step(windows, before)
        for part, new in zip(self._state, after, strict=True):
            part[slots] = new
        for slot, probability in zip(slots, probabilities.tolist(), strict=True):
            self._lines[slot].probability = probability


class _Line:
    """One call's audio on its way into windows."""

    __slots__ = ("probability", "unheard", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, bytes]] = deque(maxlen=LONGEST_BURST)
        self.unheard = b""  # mu-law: the context, then what no window has had yet
        self.probability = 0.0

    def fills(self, mulaw: bytes) -> bool:
        """Put a frame on; true when a window is full."""
        self.unheard += mulaw
        return len(self.unheard) >= CONTEXT + WINDOW

    def take(self) -> bytes:
        window, self.unheard = self.unheard[: CONTEXT + WINDOW], self.unheard[WINDOW:]
        return window


def levels_dbfs(mulaw: bytes) -> list[float]:
    """Root mean square level of each whole frame, all at once; a full-scale square wave is 0 dB."""
    squares: NDArray[np.float32] = _SQUARES.take(np.frombuffer(mulaw, np.uint8)).reshape(-1, FRAME_BYTES)
    levels: list[float] = (10 * np.log10(np.maximum(squares @ _MEAN, _FLOOR))).tolist()
    return levels


def _zeros(lines: int) -> State:
    return State(np.zeros((lines, CELLS), np.float32), np.zeros((lines, CELLS), np.float32))
