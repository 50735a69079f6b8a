"""Who is let in when not all can be, and what becomes of the others."""

from typing import ClassVar

from pydantic import field_validator

from app.settings.section import Section, among, env, split

OFFERS = ("message", "callback")


class AdmissionSettings(Section):
    """Shares, strain and the line."""

    title: ClassVar[str] = "A full house"

    per_number: int = env(
        "MAX_CALLS_PER_NUMBER",
        default=0,
        ge=0,
        doc="calls of one calling number at once, those in line included; an office shows one number for all "
        "its telephones. 0: MAX_PERCENT_PER_NUMBER decides",
    )
    number_percent: int = env(
        "MAX_PERCENT_PER_NUMBER",
        default=90,
        ge=0,
        le=100,
        doc="percent of MAX_CALLS, but at least 5, for one calling number. 0: no bound",
    )
    withheld_percent: int = env(
        "MAX_WITHHELD_PERCENT",
        default=50,
        ge=0,
        le=100,
        doc="percent of MAX_CALLS, but at least 5, for all withheld numbers together. 0: no bound",
    )
    per_called: tuple[str, ...] = env(
        "MAX_CALLS_BY_CALLED_NUMBER",
        default=(),
        doc="bounds for single numbers of yours, such as `+15550100=20, +15550101=50%` (of MAX_CALLS)",
    )
    lag_ms: int = env(
        "MAX_LOOP_LAG_MS",
        default=200,
        ge=0,
        doc="milliseconds the event loop may be late (mean of 3 s) before new calls wait. 0: no bound",
    )
    cpu_percent: int = env(
        "MAX_CPU_PERCENT",
        default=90,
        ge=0,
        le=100,
        doc="percent of one core the event loop may use over 3 s before new calls wait. 0: no bound",
    )
    memory_percent: int = env(
        "MAX_MEMORY_PERCENT",
        default=90,
        ge=0,
        le=100,
        doc="percent of the container's memory in use before new calls wait. 0: no bound",
    )
    files_percent: int = env(
        "MAX_FILES_PERCENT",
        default=90,
        ge=0,
        le=100,
        doc="percent of the open files allowed (`ulimit -n`) before new calls wait. 0: no bound",
    )
    needs_ears: bool = env(
        "WAIT_FOR_EARS",
        default=False,
        doc="1: a caller waits until a recogniser is free; 0: they are let in, and keys work meanwhile",
    )
    max_waiting: int = env("MAX_WAITING", default=50, ge=0, le=10_000, doc="callers in line at once")
    max_wait_s: float = env(
        "MAX_WAIT_S", default=120.0, gt=0, le=3600, doc="seconds in line, then a kind goodbye"
    )
    hold_audio: str = env(
        "HOLD_AUDIO", default="", doc="audio file that callers in line hear; empty: a piece of our own"
    )
    offers: tuple[str, ...] = env(
        "LINE_OFFERS",
        default=OFFERS,
        doc="what callers in line can choose: `message` (key 1), `callback` (key 2)",
    )

    _split = field_validator("per_called", "offers", mode="before")(split)

    @field_validator("offers")
    @classmethod
    def _known(cls, offers: tuple[str, ...]) -> tuple[str, ...]:
        return among(offers, OFFERS)

    @field_validator("per_called")
    @classmethod
    def _readable(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for one in given:
            number, _, bound = one.partition("=")
            if not number.strip() or not bound.strip().removesuffix("%").isdecimal():
                raise ValueError(f"{one!r}, expected number=calls or number=percent%")
        return given

    def by_called(self, max_calls: int) -> dict[str, int]:
        """The bounds of single called numbers, in calls."""
        bounds = {}
        for one in self.per_called:
            number, _, bound = (part.strip() for part in one.partition("="))
            is_share = bound.endswith("%")
            amount = int(bound.removesuffix("%"))
            bounds[number] = -(-max_calls * amount // 100) if is_share else amount
        return bounds
