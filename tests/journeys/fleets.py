"""Fleets of real processes behind a balancer, and callers who know to the byte what they should hear."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.audio.frame import FRAME_BYTES, SILENCE
from app.simulator.plan import Account, CallPlan, Patience, Turn
from app.simulator.report import CallReport
from deploy.fleet.fleet import Fleet, FleetPlan
from deploy.fleet.replica import Replica
from tests.canaries import leaks_in
from tests.journeys.conftest import HURRIED, UNBOUNDED, vendor_environ
from tests.standins.elevenlabs import ElevenLabsStandin

GREETING = ("First this.", "Second that.", "Third those.", "Choose.")
KEYS = "Press one."
NEWS = "No news today."
CUT_OFF = "Sorry, we were cut off."
NOTICE = "One moment please, we will be right back."
SCRIPT = f"""
name = "A hotline"
cut_off = ["{CUT_OFF}"]
[greeting]
say = "{" ".join(GREETING[:3])}"
then = "main"
[menu.main]
say = "{GREETING[3]}"
again = ["Anything else?"]
[[menu.main.choices]]
to = "news"
words = ["news"]
key = "1"
label = "the news"
[answer.news]
say = "{NEWS}"
then = "main"
[not_understood]
keys = ["{KEYS}"]
"""
LONGEST_GAP_MS = 4000  # between two streams, on a machine that has other things to do


@dataclass(frozen=True, slots=True)
class Running:
    """A fleet, and the vendor whose voice it has."""

    fleet: Fleet
    vendor: ElevenLabsStandin

    def plan(
        self, *turns: Turn, call_sid: str = "", quiet_ms: int = 1000, account: Account | None = None
    ) -> CallPlan:
        """A caller who listens, takes these turns, and goes when it has been quiet."""
        patience = Patience(
            longest_s=60,
            quiet_before_end_ms=quiet_ms,
            quiet_before_turn_ms=quiet_ms,
            reply_within_ms=15_000,
        )
        return CallPlan(
            url=f"{self.fleet.url}/voice",
            account=account or Account(call_sid=call_sid),
            turns=turns,
            patience=patience,
            quirks=HURRIED,
        )

    async def count(self, report: CallReport, sentence: str) -> int:
        """How often the caller heard it from its beginning to its end, be it with gaps: machines are busy."""
        return _solid(report.heard).count(_solid(await self.vendor.bank.audio(sentence, "ulaw_8000")))

    async def heard(self, report: CallReport) -> list[int]:
        """How often the caller heard each sentence of the greeting."""
        return [await self.count(report, sentence) for sentence in GREETING]


@asynccontextmanager
async def running(
    folder: Path,
    *,
    replicas: int,
    environ: Mapping[str, str] | None = None,
    vendor: ElevenLabsStandin | None = None,
    hotline: str = SCRIPT,
    **more: str,
) -> AsyncIterator[Running]:
    """A fleet with a short script and no ears; with REDIS_URL a store, else a folder is shared."""
    async with vendor or ElevenLabsStandin(delay_ms=(20, 40)) as vendor:
        settings = replicas_environ(folder, vendor, hotline) | dict(environ or {}) | more
        async with Fleet(FleetPlan(folder=folder, replicas=replicas, environ=settings)) as fleet:
            yield Running(fleet, vendor)
    logs = [log.read_text() for log in (folder / "logs").iterdir()]
    assert logs and [leak for log in logs for leak in leaks_in(log)] == []


def replicas_environ(folder: Path, vendor: ElevenLabsStandin, hotline: str = SCRIPT) -> dict[str, str]:
    """The settings of a replica that has the stand-in's voice, and no ears."""
    script = folder / "script.toml"
    script.write_text(hotline)
    settings = vendor_environ(vendor, ELEVENLABS_OUTPUT_FORMAT="ulaw_8000", HOTLINE_SCRIPT=str(script))
    inherited = {"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1"}
    return settings | inherited | UNBOUNDED | {"HEARING_PROVIDERS": "none", "LOG_FORMAT": "json"}


def _solid(mulaw: bytes) -> bytes:
    """Without the frames in which nothing was played."""
    frames = (mulaw[at : at + FRAME_BYTES] for at in range(0, len(mulaw), FRAME_BYTES))
    return b"".join(frame for frame in frames if frame.rstrip(SILENCE))


def logged(replica: Replica, event: str) -> list[dict[str, Any]]:
    """The events of that name in a replica's log, in order."""
    lines = [line for line in replica.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, lines) if line["event"] == event]


def was_not_cut(report: CallReport) -> bool:
    """Whether the caller was the one to end it, and Twilio's own voice never had to apologise."""
    closed = report.streams[-1].closed
    return closed is not None and closed.by == "caller" and not report.said and not report.all_faults
