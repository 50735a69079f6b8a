"""What became of a simulated call: for people, for scripts, for tests."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from app.simulator.dialogue import TurnFigures
from app.simulator.orders import Fault
from app.simulator.playback import BYTES_PER_MS, Figures
from app.simulator.recording import voiced_level_dbfs, voiced_ms
from app.simulator.silence import Silences

MOST_FAULTS = 50  # different ones; a broken bridge repeats itself
LEAST_VOICE_MS = 100  # shorter than any word


@dataclass(frozen=True, slots=True)
class Closed:
    """How a stream's socket ended."""

    code: int
    reason: str
    by: str  # `caller` or `hotline`


@dataclass(slots=True)
class StreamReport:
    """How one stream went, from the handshake to the close."""

    stream_sid: str
    first_audio_ms: float | None = None  # from `start` sent to the first `media` received
    figures: Figures = field(default_factory=Figures)
    turns: list[TurnFigures] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    closed: Closed | None = None  # None: the handshake failed
    heard_from: int = 0  # where this stream begins in what the call heard, in bytes
    greeting: str | None = None  # words heard before the caller's first turn was answered, once written down

    def add_fault(self, fault: Fault) -> None:
        add_fault(self.faults, fault)


@dataclass(slots=True)
class CallReport:
    """One call as its caller lived through it."""

    call_sid: str
    streams: list[StreamReport] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # by Twilio's own voice
    faults: list[Fault] = field(default_factory=list)  # outside of streams
    rejected: str | None = None  # `busy` or `rejected`, when the call was never answered
    is_unreachable: bool = False  # no TwiML could be fetched at all
    dialled: list[str] = field(default_factory=list)  # numbers that were rung
    heard: bytes = b""  # mu-law, from pick-up to hang-up, as far as it was kept
    silences: Silences = field(default_factory=Silences)

    def add_fault(self, fault: Fault) -> None:
        add_fault(self.faults, fault)

    @property
    def has_heard(self) -> bool:
        """Whether there was any voice in what the caller heard."""
        return voiced_ms(self.heard) >= LEAST_VOICE_MS

    @property
    def all_faults(self) -> list[str]:
        return [str(fault) for faults in (self.faults, *(s.faults for s in self.streams)) for fault in faults]

    def as_json(self) -> dict[str, object]:
        """The report of `hotline call --json`; figures of several streams are added up."""
        first = next((s.first_audio_ms for s in self.streams if s.first_audio_ms is not None), None)
        last = self.streams[-1].closed if self.streams else None
        figures = [stream.figures for stream in self.streams]
        return {
            "call_sid": self.call_sid,
            "first_audio_ms": first,
            "audio_ms": _sum_ms(f.heard_bytes for f in figures),
            "underruns": sum(f.gaps.underruns for f in figures),
            "underrun_ms": _sum_ms(f.gaps.underrun_bytes for f in figures),
            "marks": sum(f.marks for f in figures),
            "clears": sum(f.clears for f in figures),
            "closed": asdict(last) if last else None,
            "turns": [asdict(turn) for stream in self.streams for turn in stream.turns],
            "greeting": " ".join(s.greeting for s in self.streams if s.greeting) or None,
            "said": self.said,
            "faults": self.all_faults,
            "rejected": self.rejected,
            "received_ms": _sum_ms(f.received_bytes for f in figures),
            "cleared_ms": _sum_ms(f.cleared_bytes for f in figures),
            "longest_backlog_ms": max((f.longest_backlog_bytes // BYTES_PER_MS for f in figures), default=0),
            "voiced_ms": voiced_ms(self.heard),
            "voiced_level_dbfs": voiced_level_dbfs(self.heard),
            "streams": len(self.streams),
            "resumed": len(self.silences.between_ms),
            "longest_silence_ms": self.silences.longest_ms,
            "between_streams_ms": self.silences.between_ms,
            "without_stream_ms": self.silences.gaps_ms,
            "dialled": self.dialled,
        }


def add_fault(faults: list[Fault], fault: Fault) -> None:
    """Keep each different fault once, as Twilio warns once per stream."""
    if len(faults) < MOST_FAULTS and str(fault) not in map(str, faults):
        faults.append(fault)


def told(report: CallReport) -> list[str]:
    """The report in lines for a person."""
    figures = report.as_json()
    lines = [f"call {report.call_sid}"]
    if report.rejected:
        lines.append(f"  rejected ({report.rejected}): the call was not answered")
    lines += [f'  Twilio\'s own voice said: "{text}"' for text in report.said]
    lines += [f"  dialled             {number}" for number in report.dialled]
    if report.streams:
        lines += _told_streams(report, figures)
    lines += [f"  fault: {fault}" for fault in report.all_faults]
    lines.append(_told_verdict(report, figures))
    return lines


def _told_streams(report: CallReport, figures: dict[str, object]) -> list[str]:
    first, closed = figures["first_audio_ms"], report.streams[-1].closed
    lines = [
        f"  first audio after   {'-' if first is None else f'{first} ms'}",
        f"  audio heard         {_seconds(figures['audio_ms'])}, {figures['marks']} marks, "
        f"{figures['clears']} clears",
        f"  underruns           {figures['underruns']} ({figures['underrun_ms']} ms)",
    ]
    if len(report.streams) > 1:
        waits = ", ".join(f"{wait} ms" for wait in report.silences.between_ms) or "never heard again"
        lines.append(f"  streams             {len(report.streams)}, silence between: {waits}")
    lines += [f"  longest silence     {report.silences.longest_ms} ms"]
    lines += _told_words(figures["greeting"])
    for number, turn in enumerate((t for s in report.streams for t in s.turns), 1):
        lines.append(f"  turn {number}              {_told_turn(turn)}")
        lines += _told_words(turn.heard)
    if closed is not None:
        reason = f" ({closed.reason})" if closed.reason else ""
        lines.append(f"  closed by           the {closed.by}, code {closed.code}{reason}")
    return lines


def _told_turn(turn: TurnFigures) -> str:
    told = f"caller spoke {_seconds(turn.caller_ms)}"
    if turn.clear_ms is not None:
        told += f", the hotline fell silent after {turn.clear_ms} ms"
    if turn.silence_ms is None:
        return f"{told}, no reply"
    return f"{told}, reply after {turn.silence_ms} ms, {_seconds(turn.reply_ms)} long"


def _told_words(words: object) -> list[str]:
    return [f'    heard: "{words}"'] if words else []


def _told_verdict(report: CallReport, figures: dict[str, object]) -> str:
    if not report.has_heard:
        return "  the caller heard nothing"
    return f"  voice               {_seconds(figures['voiced_ms'])} at {figures['voiced_level_dbfs']} dBFS"


def _seconds(ms: object) -> str:
    assert isinstance(ms, int)
    return f"{ms / 1000:.2f} s"


def _sum_ms(counts: Iterable[int]) -> int:
    return sum(counts) // BYTES_PER_MS
