"""Callers who talk, and a hotline whose memory of a call can be looked into."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from app.calls.script import Script
from app.conversation import port
from app.conversation.history import Entry, History, Speaker
from app.main import assemble, parts_of
from app.settings import Settings
from app.simulator.caller import simulate_call
from app.simulator.dialogue import TurnFigures
from app.simulator.plan import CallPlan, Line, Patience, Turn
from app.simulator.report import CallReport
from tests.journeys.conftest import HURRIED
from tests.standins.server import DATA_DIR, address, loopback, serving


class Remembering:
    """A conversation, and what was said and heard in it, as a model would be told."""

    def __init__(self, conversation: port.StreamingConversation) -> None:
        self._conversation = conversation
        self.history = History()
        self.interruptions: list[port.Interrupted] = []

    async def respond(self, fact: port.Fact) -> AsyncGenerator[port.Order, None]:
        match fact:
            case port.UtteranceHeard(text):
                self.history.caller_said(text)
            case port.SentenceHeard(text):
                self.history.bridge_said(text)
            case port.Interrupted(heard):
                self.history.bridge_was_cut(heard)
                self.interruptions.append(fact)
        async with aclosing(self._conversation.respond(fact)) as orders:
            async for order in orders:
                yield order

    def snapshot(self) -> dict[str, object]:
        return self._conversation.snapshot()

    def restore(self, state: Mapping[str, object]) -> None:
        self._conversation.restore(state)

    @property
    def said(self) -> list[Entry]:
        """What the hotline said, as far as it was heard."""
        return [entry for entry in self.history.entries() if entry.speaker is Speaker.BRIDGE]


@dataclass
class Hotline:
    """A running hotline, and the conversations it has led."""

    url: str
    conversations: list[Remembering] = field(default_factory=list)


@asynccontextmanager
async def remembering(**environ: str) -> AsyncIterator[Hotline]:
    """A hotline as `hotline serve` assembles it, with two embedded recognisers, or as `environ` says."""
    listener = loopback()
    defaults = {
        "PUBLIC_URL": address(listener),
        "HEARING_POOL_SIZE": "2",
        "PREPARE_PHRASES": "0",
        "DATA_DIR": DATA_DIR,
    }
    parts = parts_of(Settings.load(defaults | environ))
    hotline = Hotline(address(listener))

    def script_for(path: str) -> Script:
        usual = parts.script_for(path)
        hotline.conversations.append(Remembering(usual.conversation))
        return replace(usual, conversation=hotline.conversations[-1])

    async with serving(assemble(replace(parts, script_for=script_for)), listener):
        yield hotline


async def talk(url: str, *turns: Turn, line: Line | None = None, hears_ms: int | None = None) -> CallReport:
    """One call of a caller who takes these turns, and hangs up when it is quiet or `hears_ms` were heard."""
    patience = Patience(longest_s=90.0, quiet_before_end_ms=4000, hang_up_after_ms=hears_ms)
    plan = CallPlan(url=f"{url}/voice", turns=turns, patience=patience, quirks=HURRIED, line=line or Line())
    return await simulate_call(plan)


def turns_of(report: CallReport) -> list[TurnFigures]:
    (stream,) = report.streams
    return stream.turns


def heard_between(report: CallReport, begin_ms: int, end_ms: int) -> bytes:
    """What the caller heard then, in ms since the phone was picked up."""
    return report.heard[begin_ms * 8 : end_ms * 8]
