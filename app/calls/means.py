"""What every call of a process shares, and what an operator bounds on each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.calls.ear_tick import EarTick
from app.calls.resume import Nowhere, Records
from app.calls.vigil import Patience
from app.conversation.turn_port import TurnLimits
from app.hearing.chain import HearingChain
from app.speech.chain import Chain


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator bounds on every call."""

    session_timeout_s: float = 1800.0
    lead_s: float = 0.4
    turns: TurnLimits = field(default_factory=TurnLimits)
    silence: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Means:
    """What every call of a process shares."""

    voice: Chain
    ears: EarTick
    recognisers: HearingChain = field(default_factory=lambda: HearingChain([]))
    limits: Limits = field(default_factory=Limits)
    prompts: Mapping[str, bytes] = field(default_factory=dict)
    messages_in: Path | None = Path("data/messages")
    """None: what callers say there is not kept."""
    records: Records = field(default_factory=Nowhere)
    replica: str = ""
