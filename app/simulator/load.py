"""Many callers at once, and what they lived through in percentiles."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app import clock
from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from app.simulator.plan import CallPlan, Turn
from app.simulator.report import CallReport
from app.simulator.ticker import Histogram

FIGURES = (
    *("first_audio_ms", "audio_ms", "underruns", "underrun_ms", "marks", "clears", "longest_backlog_ms"),
    *("streams", "longest_silence_ms"),
)
SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
SAMPLE_S = 1.0  # between two looks at the server's memory


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """`calls` callers, of whom `ramp_per_s` begin every second, each by the plan `call`.

    With `talks` the callers differ in their turns: the n-th has the n-th of these, in a circle.
    """

    calls: int
    ramp_per_s: float
    call: CallPlan
    talks: Sequence[tuple[Turn, ...]] = ()
    pid: int | None = None  # of a server on this machine, whose memory is to be watched

    def plan_of(self, number: int) -> CallPlan:
        """What the caller of this number, from 0, is to do; everybody calls from a number of their own."""
        account = replace(self.call.account, caller_number=f"+1500556{number:04}")
        turns = self.talks[number % len(self.talks)] if self.talks else self.call.turns
        return replace(self.call, account=account, turns=turns)


@dataclass(slots=True)
class LoadReport:
    """All calls, and what the callers themselves needed: a slow caller is no slow hotline."""

    reports: list[CallReport] = field(default_factory=list)  # of calls that are over
    begun: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0  # processor seconds of the callers
    lateness_ms: Histogram = field(default_factory=Histogram)  # of the callers' own 20 ms clock
    rss_kib: list[int] = field(default_factory=list)  # of the server, once a second

    @property
    def heard(self) -> int:
        """Callers who heard a voice."""
        return sum(report.has_heard for report in self.reports)

    def as_json(self) -> dict[str, object]:
        """The report of `hotline load --json`."""
        each = [report.as_json() for report in self.reports]
        turns = [turn for report in self.reports for stream in report.streams for turn in stream.turns]
        return {
            "calls": len(self.reports),
            "heard": self.heard,
            "rejected": sum(report.rejected is not None for report in self.reports),
            "resumed": sum(bool(call["resumed"]) for call in each),
            "between_streams_ms": percentiles(ms for r in self.reports for ms in r.silences.between_ms),
            "without_stream_ms": percentiles(ms for r in self.reports for ms in r.silences.gaps_ms),
            "with_underruns": sum(bool(call["underruns"]) for call in each),
            **{name: percentiles(call[name] for call in each) for name in FIGURES},
            "turns": len(turns),
            "unanswered": sum(turn.silence_ms is None for turn in turns),
            "reply_after_ms": percentiles(turn.silence_ms for turn in turns),
            "clear_after_ms": percentiles(turn.clear_ms for turn in turns),
            "closed": Counter(_closed(call["closed"]) for call in each),
            "faults": Counter(fault for report in self.reports for fault in report.all_faults),
            "wall_s": round(self.wall_s, 2),
            "caller": {
                "cpu_share": round(self.cpu_s / self.wall_s, 3) if self.wall_s else 0.0,
                "lateness_ms": {name: self.lateness_ms.percentile(share) for name, share in SHARES.items()},
            },
            "server": self._memory(),
            "each": each,
        }

    def _memory(self) -> dict[str, float] | None:
        if not self.rss_kib:
            return None
        before, peak, after = self.rss_kib[0], max(self.rss_kib), self.rss_kib[-1]
        each = (peak - before) / max(1, len(self.reports))
        return {
            "rss_before_kib": before,
            "rss_peak_kib": peak,
            "rss_after_kib": after,
            "kib_per_call": round(each, 1),
        }


async def simulate_load(plan: LoadPlan, report: LoadReport) -> None:
    """Place all calls and wait for the last; `report` fills up meanwhile, for whoever shows progress."""
    start, cpu = clock.now(), clock.cpu()
    async with Exchange() as exchange:
        report.lateness_ms = exchange.ticker.lateness_ms
        async with asyncio.TaskGroup() as watch:
            watching = watch.create_task(_watch_memory(plan.pid, report.rss_kib))
            async with asyncio.TaskGroup() as callers:
                for number in range(plan.calls):
                    callers.create_task(_call(plan, number, exchange, report))
            watching.cancel()
    report.wall_s, report.cpu_s = clock.now() - start, clock.cpu() - cpu


async def _call(plan: LoadPlan, number: int, exchange: Exchange, report: LoadReport) -> None:
    await asyncio.sleep(number / plan.ramp_per_s)
    report.begun += 1
    report.reports.append(await simulate_call(plan.plan_of(number), exchange))


async def _watch_memory(pid: int | None, rss_kib: list[int]) -> None:
    if pid is None:
        return
    while (now := await asyncio.to_thread(resident_kib, pid)) is not None:
        rss_kib.append(now)
        await asyncio.sleep(SAMPLE_S)


def resident_kib(pid: int) -> int | None:
    """Memory of a process that is in RAM; None when there is no such process, or no /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), None)


def percentiles(values: Iterable[object]) -> dict[str, float] | None:
    """p50, p95 and p99 (nearest rank) of those values that are numbers; None when none is."""
    numbers = sorted(value for value in values if isinstance(value, int | float))
    return {name: _nearest(numbers, share) for name, share in SHARES.items()} if numbers else None


def _nearest(numbers: Sequence[float], share: float) -> float:
    return numbers[max(0, math.ceil(share * len(numbers)) - 1)]


def _closed(closed: object) -> str:
    return f"{closed['code']} by the {closed['by']}" if isinstance(closed, dict) else "no stream"
