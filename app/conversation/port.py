"""The contract of a conversation: facts in the past tense come in, orders in the imperative go out.

A conversation is pure: it knows no socket, no task and no clock, so a whole call can be played to it
as a list of facts.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The caller is on the line and can hear."""

    call_sid: str
    parameters: dict[str, str] = field(default_factory=dict)
    """What travelled in `<Parameter>`, without the stream token."""


@dataclass(frozen=True, slots=True)
class SentenceHeard:
    """The phone has played all of it."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """No voice could say it; the caller has heard none or only a part of it."""

    text: str


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed a key."""

    digit: str


Fact = CallStarted | SentenceHeard | SpeechFailed | KeyPressed


@dataclass(frozen=True, slots=True)
class Say:
    """Say this after what is being said; any length, cut into sentences on the way."""

    text: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call as soon as all that was ordered before has been heard."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Say nothing more; once what was begun has been heard, the telephone network apologises for us."""


Order = Say | HangUp | GiveUp


class Conversation(Protocol):
    """What is said on one call; one object per call."""

    def handle(self, fact: Fact) -> list[Order]:
        """Take one fact, give all orders that follow from it, in order."""
