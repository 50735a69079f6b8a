"""What was cut in mid-reply, kept until it is known whether the caller really took the floor."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.playout.pacer import FRAME_BYTES, FRAME_S, Dropped


@dataclass(frozen=True, slots=True)
class Held:
    """Frames the phone has not played, and the marks among them by the number of frames before each."""

    mulaw: bytes
    marks: tuple[tuple[int, str], ...]
    cut_at: float
    """The instant of the cut, monotonic seconds."""

    def pieces(self) -> Iterator[bytes | str]:
        """Audio and marks in their order, to be played again."""
        at = 0
        for frames, name in self.marks:
            if piece := self.mulaw[at * FRAME_BYTES : frames * FRAME_BYTES]:
                yield piece
            at = max(at, frames)
            yield name
        if rest := self.mulaw[at * FRAME_BYTES :]:
            yield rest


def hold(
    now: float, played_until: float, sent: bytes, sent_marks: Sequence[tuple[str, float]], dropped: Dropped
) -> Held:
    """Join what has left without being played and what never left.

    Args:
        played_until: when the phone has played all that has left.
        sent: the frames that left last, at least as much as the phone can have buffered.
        sent_marks: marks that have left, and when the phone reaches them.
    """
    unplayed = math.ceil((played_until - now) / FRAME_S - 1e-6) if played_until > now else 0
    tail = sent[len(sent) - unplayed * FRAME_BYTES :] if unplayed * FRAME_BYTES <= len(sent) else sent
    frames = len(tail) // FRAME_BYTES
    lost_s = frames * FRAME_S
    marks = [
        (max(0, frames - round(max(0.0, min(lost_s, played_until - at)) / FRAME_S)), name)
        for name, at in sent_marks
    ]
    behind = [(frames + before, name) for before, name in zip(dropped.behind, dropped.marks, strict=True)]
    return Held(tail + dropped.mulaw, (*marks, *behind), now)
