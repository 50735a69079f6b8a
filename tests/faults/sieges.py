"""A hotline in a process of its own, callers who know how long its greeting is, and a flood beside them."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.simulator.hotline import started
from app.simulator.load import LoadPlan, LoadReport, simulate_load
from app.simulator.plan import CallPlan, Patience
from tests.journeys.conftest import HURRIED, UNBOUNDED, vendor_environ
from tests.standins.elevenlabs import ElevenLabsStandin

SENTENCE = "The night train to Vienna leaves at ten past nine from platform four, and it is on time."
SCRIPT = """
name = "A long greeting"
[greeting]
say = "{greeting}"
then = "main"
[menu.main]
say = "Choose."
[[menu.main.choices]]
to = "main"
words = ["again"]
key = "1"
label = "all of it again"
[not_understood]
keys = ["Press one."]
"""
LOOK_S = 0.5


@dataclass
class Besieged:
    """A hotline in a process of its own, and the greeting as a caller should hear it."""

    url: str
    greeting_ms: int
    looks: list[dict[str, Any]] = field(default_factory=list)  # what `/status` said, again and again

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def load(self, calls: int, ramp_per_s: float) -> LoadReport:
        """So many callers who listen to the greeting; the house is looked at meanwhile."""
        patience = Patience(longest_s=60, quiet_before_end_ms=1500, reply_within_ms=20_000)
        call = CallPlan(url=f"{self.url}/voice", patience=patience, quirks=HURRIED, keep_s=1)
        report = LoadReport()
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look())
            await simulate_load(LoadPlan(calls=calls, ramp_per_s=ramp_per_s, call=call), report)
            looking.cancel()
        return report

    async def status(self) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{self.url}/status", timeout=20)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def most(self, *path: str) -> float:
        """The largest figure that was seen at this place of `/status`."""
        return max(_at(look, path) for look in self.looks)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.looks.append(await self.status())


def _at(look: Any, path: tuple[str, ...]) -> float:
    for name in path:
        look = look[name]
    return float(look or 0)


@asynccontextmanager
async def besieged(*, sentences: int = 2, **environ: str) -> AsyncIterator[Besieged]:
    """A hotline that says a long greeting to everybody."""
    greeting = " ".join([SENTENCE] * sentences)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.toml"
        script.write_text(SCRIPT.format(greeting=greeting))
        async with ElevenLabsStandin(delay_ms=(20, 40)) as vendor:
            length_ms = sentences * len(await vendor.bank.audio(SENTENCE, "ulaw_8000")) // 8
            settings = vendor_environ(vendor, ELEVENLABS_OUTPUT_FORMAT="ulaw_8000")
            settings |= {"HOTLINE_SCRIPT": str(script), "PATH": os.environ["PATH"], **UNBOUNDED}
            settings |= {
                "HEARING_PROVIDERS": "none",
                "OPENBLAS_NUM_THREADS": "1",
                "DATA_DIR": folder,
                **environ,
            }
            async with started(settings) as url:
                yield Besieged(url, length_ms)


@asynccontextmanager
async def flooded(port: int, *, slow: int, seconds: float = 60) -> AsyncIterator[None]:
    """Strangers at the door for the length of the block."""
    argv = ("nice", sys.executable, "-m", "tests.standins.flood", str(port), str(seconds), str(slow))
    strangers = await asyncio.create_subprocess_exec(*argv)
    try:
        yield
    finally:
        strangers.terminate()
        await strangers.wait()
