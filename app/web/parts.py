"""What the door is given by `main.py`: the rooms behind it, and what the operator chose."""

from collections.abc import Callable
from dataclasses import dataclass

from app.calls.admission import Admission
from app.calls.call import Limits
from app.calls.registry import Registry
from app.conversation.port import Conversation
from app.observe.ring import Ring
from app.speech.chain import Chain


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
class Parts:
    """One assembled hotline, as the door sees it."""

    locks: Locks
    words: Words
    limits: Limits
    admission: Admission
    registry: Registry
    voice: Chain
    ring: Ring
    converse: Callable[[str], Conversation]
    """A new conversation for the path a socket came on."""
    elevenlabs_configured: bool
