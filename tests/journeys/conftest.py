"""A whole hotline on a loopback port, a vendor beside it, and a caller: nothing between them but sockets."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.calls.script import Script
from app.conversation.announcement import Announcement
from app.conversation.immediate import Immediate
from app.conversation.port import Conversation
from app.log import configure
from app.main import assemble, parts_of
from app.settings import Settings
from app.simulator.caller import simulate_call
from app.simulator.plan import Account, CallPlan, Patience, Quirks, Turn
from app.simulator.report import CallReport
from app.web.voice import DEBUG_PATH
from tests.standins.elevenlabs import KEY, VOICE, ElevenLabsStandin
from tests.standins.server import DATA_DIR, address, loopback, serving

GREETING = "Hello from the hotline."
HURRIED = Quirks(say_ms_per_character=0)
# Callers and hotline share one busy process here, and all callers one number: what either bears says nothing.
UNBOUNDED = dict.fromkeys(
    ("MAX_LOOP_LAG_MS", "MAX_CPU_PERCENT", "MAX_MEMORY_PERCENT", "MAX_PERCENT_PER_NUMBER"), "0"
)


@pytest.fixture(autouse=True)
def event_stream() -> None:
    configure(level="info", style="json", secrets=[KEY])


def announcing(text: str) -> Callable[[str], Conversation]:
    """Every caller is told the text, and nothing else."""
    return lambda _path: Announcement(text)


def only(converse: Callable[[str], Conversation], usual: Callable[[str], Script]) -> Callable[[str], Script]:
    """These conversations on real calls; the debug sentence stays."""
    return lambda path: (
        usual(path) if path == DEBUG_PATH else Script(Immediate(converse(path)), listens=False)
    )


@asynccontextmanager
async def hotline(
    converse: Callable[[str], Conversation] | None = None, /, **environ: str
) -> AsyncIterator[str]:
    """A hotline as `hotline serve` assembles it; without CONVERSATION it only says its greeting."""
    listener = loopback()
    usual = {
        "PUBLIC_URL": address(listener),
        "GREETING": GREETING,
        "PREPARE_PHRASES": "0",
        "DATA_DIR": DATA_DIR,
        **UNBOUNDED,
    }
    settings = Settings.load({**usual, **environ})
    parts = parts_of(settings)
    if converse is not None or "CONVERSATION" not in environ:
        converse = converse or announcing(settings.conversation.greeting)
        parts = replace(parts, script_for=only(converse, parts.script_for))
    async with serving(assemble(parts), listener) as url:
        yield url


def vendor_environ(vendor: ElevenLabsStandin, **changes: str) -> dict[str, str]:
    """The settings that make a hotline speak with the stand-in's voice."""
    return {
        "ELEVENLABS_API_KEY": KEY,
        "ELEVENLABS_VOICE_ID": VOICE,
        "ELEVENLABS_BASE_URL": vendor.url,
        **changes,
    }


@pytest.fixture
async def vendor() -> AsyncIterator[ElevenLabsStandin]:
    async with ElevenLabsStandin(delay_ms=(20, 40)) as standin:
        yield standin


async def call(url: str, *, path: str = "/voice", turns: tuple[Turn, ...] = (), **options: Any) -> CallReport:
    """One simulated call that hangs up soon after the hotline has fallen quiet."""
    patience = Patience(
        longest_s=options.pop("longest_s", 10.0),
        quiet_before_end_ms=options.pop("quiet_ms", 300),
        reply_within_ms=options.pop("reply_within_ms", 3000),
        hang_up_after_ms=options.pop("hang_up_after_ms", None),
    )
    plan = CallPlan(
        url=url + path,
        public_url=options.pop("public_url", ""),
        account=Account(**options),
        turns=turns,
        patience=patience,
        quirks=HURRIED,
    )
    return await simulate_call(plan)


async def events(url: str, **query: str) -> list[dict[str, Any]]:
    """What the operator reads at `/logs`."""
    async with httpx.AsyncClient(base_url=url) as http:
        answer = await http.get("/logs", params=query)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["events"]
    return found
