"""What the door is given by `main.py`: the rooms behind it, and what the operator chose."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from app.calls.admission import Admission
from app.calls.drain import Drain
from app.calls.means import Means
from app.calls.notes import Notes
from app.calls.reception import Reception
from app.calls.registry import Registry
from app.calls.script import Script
from app.calls.strain import Strain
from app.hearing.chain import HearingChain
from app.observe.ring import Ring
from app.speech.chain import Chain
from app.telephony.rest import Account


@dataclass(frozen=True, slots=True)
class Locks:
    """Who may knock: Twilio by signature, operators by token."""

    public_url: str
    twilio_tokens: tuple[str, ...]
    account_sid: str
    admin_tokens: tuple[str, ...]
    trusts_this_machine: bool
    """Without an admin token, programs on this machine are operators."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the telephone network says in our place, and when it does."""

    busy: str
    reject_when_full: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """What callers in line hear, may choose, and leave behind."""

    hold: tuple[bytes, ...] = ()
    """WAV files, played in turn."""
    offers: tuple[str, ...] = ()
    """Of `message` and `callback`."""
    notes: Notes = field(default_factory=lambda: Notes(Path("data")))


@dataclass(frozen=True, slots=True)
class Parts:
    """One assembled hotline, as the door sees it."""

    locks: Locks
    words: Words
    means: Means
    reception: Reception
    registry: Registry
    ring: Ring
    script_for: Callable[[str], Script]
    """What is said on a new call, by the path its socket came on."""
    elevenlabs_configured: bool
    drain: Drain = field(default_factory=Drain)
    strain: Strain = field(default_factory=Strain)
    waiting: Waiting = field(default_factory=Waiting)
    account: Account | None = None
    """Twilio's REST API, where there are credentials for it."""
    opened: Sequence[AbstractAsyncContextManager[object]] = ()
    """What else lives as long as the process."""

    @property
    def admission(self) -> Admission:
        return self.reception.admission

    @property
    def voice(self) -> Chain:
        return self.means.voice

    @property
    def recognisers(self) -> HearingChain:
        return self.means.recognisers
