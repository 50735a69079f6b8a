"""Whether this process can bear another call: what it measures of itself, against what it may use. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.capacity.port import PermitStatus

SPAN_S = 3.0  # seconds over which lateness and processor use are averaged: one hiccup refuses nobody
STALL_S = 1.0  # seconds; a loop that stood still for so long has cost every live call its lead
ROUNDS = (
    10  # of sentences that wait for a voice, half a second to one each: nobody new would be answered in time
)
RELIEF = 0.85  # of a bound: what was exceeded must fall below before new calls are taken again


@dataclass(frozen=True, slots=True)
class Sample:
    """One look; shares of 1 are all there is."""

    lag_s: float = 0.0
    """How much later than asked for the event loop came back."""
    processor: float = 0.0
    """Share of one core that the event loop's thread used since the last look."""
    memory: float = 0.0
    files: float = 0.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Above which no new call is taken; 0 never refuses."""

    lag_s: float = 0.0
    processor: float = 0.0
    memory: float = 0.0
    files: float = 0.0


class Strain:
    """Says why no new call can be taken; live calls are never touched."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._samples: deque[tuple[float, Sample]] = deque()
        self._over: dict[str, str] = {}  # by what is exceeded: in words

    @property
    def reason(self) -> str:
        """Empty while new calls can be taken."""
        return "; ".join(self._over.values())

    def note(self, sample: Sample, now: float) -> bool:
        """Take one look into account; True when the answer has changed."""
        before = set(self._over)
        self._samples.append((now, sample))
        while self._samples[0][0] <= now - SPAN_S:
            self._samples.popleft()
        self._judge_lag()
        self._judge("processor", self._mean("processor"), self._bounds.processor)
        self._judge("memory", sample.memory, self._bounds.memory)
        self._judge("files", sample.files, self._bounds.files)
        return set(self._over) != before

    def figures(self) -> dict[str, float]:
        """For the operator: what was measured last."""
        last = self._samples[-1][1] if self._samples else Sample()
        return {
            "lag_ms": round(self._mean("lag_s") * 1000, 1),
            "processor": round(self._mean("processor"), 3),
            "memory": round(last.memory, 3),
            "files": round(last.files, 3),
        }

    def _judge_lag(self) -> None:
        bound = self._bounds.lag_s
        stalled = max(sample.lag_s for _, sample in self._samples) >= STALL_S
        if bound and stalled:
            self._over["lag"] = f"event loop stood still for {STALL_S:g} s or more"
            return
        lag_s = self._mean("lag_s")
        told = f"event loop {lag_s * 1000:.0f} ms late, at most {bound * 1000:.0f}"
        self._hold("lag", lag_s, bound, told)

    def _judge(self, name: str, share: float, bound: float) -> None:
        self._hold(name, share, bound, f"{name} at {share:.0%}, at most {bound:.0%}")

    def _hold(self, name: str, value: float, bound: float, told: str) -> None:
        """Hysteresis: over above the bound, until well below it."""
        if not bound or value < bound * RELIEF:
            self._over.pop(name, None)
        elif value > bound or name in self._over:
            self._over[name] = told

    def _mean(self, name: str) -> float:
        values: list[float] = [getattr(sample, name) for _, sample in self._samples]
        return sum(values) / len(values) if values else 0.0


def no_ears(providers: Mapping[str, object]) -> str:
    """Why no recogniser can be had, as the providers tell; one that does not say has room."""
    free = [told.get("free") for told in providers.values() if isinstance(told, Mapping)]
    if not free or any(each is None or each > 0 for each in free):
        return ""
    return "every recogniser is taken"


def no_generations(voices: Iterable[PermitStatus | None]) -> str:
    """Why no voice can be had soon: the line for each is rounds long. None has no limit."""
    counted = list(voices)
    if not counted or any(each is None or each.waiting < ROUNDS * max(1, each.limit) for each in counted):
        return ""
    return "callers wait for every voice already"
