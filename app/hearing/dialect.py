"""How one cloud vendor is spoken to on one connection, without any I/O.

A connection has one utterance at a time: `begin`, `audio` as it comes, `end`; and nothing of the next before
the last word about this one, or before it was given up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.hearing.fault import Fault

Message = str | bytes


@dataclass(frozen=True, slots=True)
class Started:
    """The vendor is ready for audio."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Words of the utterance that was begun."""

    text: str
    final: bool  # these words stay; otherwise they replace those that did not
    taken_bytes: int = 0  # of the utterance's audio on this connection, covered by all final words so far
    whole: bool = False  # the answer to `end`: nothing more follows
    confidence: float = 1.0


Fact = Started | Heard | Fault


class Dialect(Protocol):
    """One connection's worth of a vendor's protocol; made anew for each connection."""

    @property
    def greets(self) -> bool:
        """Whether `Started` comes before audio may be sent."""

    @property
    def most_unanswered(self) -> int:
        """So many utterances without a last word, one after the other, and the connection is not trusted."""

    def begin(self) -> None:
        """What follows is another utterance."""

    def audio(self, mulaw: bytes) -> Message:
        """Some of its audio, never empty."""

    def end(self) -> list[Message]:
        """Ask for the last word."""

    def keep_alive(self) -> Message:
        """What keeps an idle connection open."""

    def farewell(self) -> list[Message]:
        """What is said before we close."""

    def receive(self, message: Message) -> Fact | None:
        """What the vendor means; None for what is late, doubled, or of no interest. Never raises."""

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """A handshake that was answered by HTTP."""

    def closed(self, code: int, reason: str) -> Fault:
        """A close that we did not ask for."""
