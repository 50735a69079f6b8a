"""What a call needs to go on after its server: written at every turn, read by whoever goes on."""

import re
from collections.abc import Iterable
from typing import Any, Protocol, Self

import msgspec

from app.calls.registry import Ending
from app.conversation.port import CallResumed, PlayPrompt, Say
from app.playout.marks import Line

VERSION = 1
KEPT_S = 120.0  # seconds after the last word of it; Twilio asks what follows at once
NUMBER = re.compile(r"(\+[1-9]\d{6,14}|sip:[!-~]+)?")  # to which a conversation transfers; empty: to nobody
JUST_NOW_S = (
    0.25  # seconds from the loss of a stream to Twilio's question, and what clocks of two servers differ
)
MOST_STREAMS = 10  # of one call: a call that breaks again and again is not to go on for ever


class Unheard(msgspec.Struct, frozen=True):
    """One sentence or prompt that was ordered, and not heard to its end."""

    text: str
    interruptible: bool = True
    is_text: bool = True
    heard_by: float = 0.0
    """By when the phone had all of it and had played its last sound, should the stream have lived so long:
    seconds since 1970. 0: some of it had not left."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call, as far as it has come."""

    version: int = VERSION
    call_sid: str
    conversation: str
    """Which one it was: the name of CONVERSATION."""
    state: dict[str, Any] = {}
    """Where it stood."""
    unheard: tuple[Unheard, ...] = ()
    heard: tuple[str, ...] = ()
    """What `state` does not know to have been heard."""
    ending: str = ""
    """How the stream ended; empty while it lives, or when its server died."""
    transfer_to: str = ""
    transfer_failed: bool = False
    streams: int = 1
    replica: str = ""
    written_at: float = 0.0
    """Seconds since 1970."""

    def settled(self, now: float) -> Self:
        """What the phone had played before the stream was lost was heard, though no mark could tell.

        Args:
            now: when Twilio asked what follows, which it does as soon as it misses the stream. What it had in
                its buffer then it may have dropped, so what would have ended just now is said again. Should
                it ask later than we think, the end of one sentence is lost, as much as is sent ahead.
        """
        played = [each for each in self.unheard if 0 < each.heard_by <= now - JUST_NOW_S]
        left = tuple(each for each in self.unheard if each not in played)
        heard = tuple(each.text for each in played if each.is_text)
        return msgspec.structs.replace(self, unheard=left, heard=self.heard + heard)

    def cut(self, now: float) -> Self:
        """The phone falls silent now: of what it had not played it plays nothing more."""
        settled = self.settled(now)
        again = tuple(msgspec.structs.replace(each, heard_by=0.0) for each in settled.unheard)
        return msgspec.structs.replace(settled, unheard=again)

    def resumed(self, *, cut_off: bool) -> CallResumed:
        """The fact that the conversation is told when the caller is back."""
        return CallResumed(tuple(_order(each) for each in self.unheard), cut_off)


class Records(Protocol):
    """Where the records of calls are kept; entered once for the life of the process."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def save(self, record: Record) -> None:
        """Keep it in place of the call's last one, soon and in the background. Never waits, never raises."""

    async def load(self, call_sid: str) -> Record | None:
        """The call's last record; None when there is none, or none can be had now."""

    async def flush(self) -> None:
        """Return when all that was saved is kept."""


class Nowhere:
    """Keeps nothing: for a call that nobody could go on with."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    def save(self, record: Record) -> None: ...

    async def load(self, call_sid: str) -> Record | None:
        return None

    async def flush(self) -> None: ...


def unheard(lines: Iterable[Line], *, wall_s: float = 0.0) -> tuple[Unheard, ...]:
    """What of `lines` the conversation ordered; `wall_s` is added to a monotonic instant for the wall's."""
    return tuple(_written(line, wall_s) for line in lines if line.is_reply)


def encode(record: Record) -> bytes:
    """As JSON."""
    return msgspec.json.encode(record)


def decode(written: bytes) -> Record | None:
    """The record; None for what this version cannot read, or no version can have written."""
    try:
        record = msgspec.json.decode(written, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    known = record.version == VERSION and record.ending in ("", *Ending)
    return record if known and record.streams > 0 and NUMBER.fullmatch(record.transfer_to) else None


def _written(line: Line, wall_s: float) -> Unheard:
    heard_by = 0.0 if line.heard_by is None else line.heard_by + wall_s
    return Unheard(line.text, line.interruptible, line.is_text, heard_by)


def _order(each: Unheard) -> Say | PlayPrompt:
    return Say(each.text, each.interruptible) if each.is_text else PlayPrompt(each.text, each.interruptible)
