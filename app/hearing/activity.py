"""When is somebody speaking: single frames are voiced or not, and several together mean it."""

from dataclasses import dataclass

from app.audio.frame import FRAME_MS


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How sure the network must be, and for how many frames of 20 ms; measured in `bench/hearing_vad.py`."""

    on: float = 0.5
    """Probability: a frame is voiced from here on; the network's own middle."""
    off: float = 0.35
    """Probability: it stays voiced down to here, so that soft syllables leave no holes."""
    start_frames: int = 6
    """Of `start_window`, begin an utterance: 120 ms, longer than a click and shorter than "no"."""
    start_window: int = 8
    """Frames, 160 ms: a stop consonant may leave two of them unvoiced."""
    resume_frames: int = 3
    """Of `resume_window`, go on after a pause: 60 ms are enough where speech was a moment ago."""
    resume_window: int = 4
    """Frames, 80 ms."""
    barge_in_frames: int = 10
    """Of `barge_in_window`, interrupt us: 200 ms, since a wrong stop costs more than a late one."""
    barge_in_window: int = 12
    """Frames, 240 ms: with the network's own delay still within 300 ms of the first sound."""


SENSITIVITY = Sensitivity()


class Activity:
    """The last frames of one line, as voiced or not."""

    def __init__(self, sensitivity: Sensitivity = SENSITIVITY) -> None:
        self.voiced = False  # the last frame
        self._sensitivity = sensitivity
        self._likely = False  # by the network alone
        self._recent = 0  # a bit a frame, the last one is the lowest

    def hear(self, probability: float, *, near: bool = True) -> bool:
        """Take one frame: is it voiced? One that is not `near` is an echo of ourselves, and never counts."""
        least = self._sensitivity.off if self._likely else self._sensitivity.on
        self._likely = probability >= least
        self.voiced = self._likely and near
        self._recent = (self._recent << 1 | self.voiced) & _mask(self._sensitivity.barge_in_window)
        return self.voiced

    def forget(self) -> None:
        """What was heard so far belongs to nothing that comes."""
        self.voiced = self._likely = False
        self._recent = 0

    @property
    def started(self) -> bool:
        return self._has(self._sensitivity.start_frames, self._sensitivity.start_window)

    @property
    def resumed(self) -> bool:
        return self._has(self._sensitivity.resume_frames, self._sensitivity.resume_window)

    @property
    def insistent(self) -> bool:
        return self._has(self._sensitivity.barge_in_frames, self._sensitivity.barge_in_window)

    @property
    def voiced_ms(self) -> int:
        """Voiced time within the window of a start."""
        return (self._recent & _mask(self._sensitivity.start_window)).bit_count() * FRAME_MS

    @property
    def since_ms(self) -> int:
        """How long ago the first voiced frame within the window of a start began."""
        return (self._recent & _mask(self._sensitivity.start_window)).bit_length() * FRAME_MS

    def _has(self, frames: int, window: int) -> bool:
        return (self._recent & _mask(window)).bit_count() >= frames


def _mask(frames: int) -> int:
    return (1 << frames) - 1
