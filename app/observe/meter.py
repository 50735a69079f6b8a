"""Reads from the event stream what calls and voices use, and has it counted.

The reader notes and never logs. Numbers are masked in events, so the gate tells whose call it is, and that is
remembered by CallSid.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from app import clock
from app.calls.budget import Prices
from app.calls.reception import Caller
from app.calls.spending import Party
from app.calls.usage import Used
from app.log import Event

REMEMBERED = 10_000  # calls; one that goes on is remembered by its stream, however many come after it
CHARGE_EVERY_S = 1.0  # seconds between two looks at calls that go on
UNBILLED = "local"  # the embedded voice: its words are nobody's bill


class Counting(Protocol):
    """Where it is counted."""

    def note(self, party: Party | None, used: Used, *, cost: int = 0, at: float | None = None) -> float:
        """Something was used; returns when."""


@dataclass(slots=True)
class Asked:
    """A call that passed the gate, and was counted."""

    party: Party | None
    at: float
    admitted: bool = False


@dataclass(slots=True)
class Going:
    """A call with a stream, charged up to now."""

    party: Party | None
    since: float
    charged_ms: int = 0


class Meter:
    """Attach its `read` to the event stream, give its `count` to the gate, and `run` it."""

    def __init__(self, counting: Counting, prices: Prices | None = None) -> None:
        self._counting = counting
        self._prices = prices or Prices()
        self._asked: OrderedDict[str, Asked] = OrderedDict()  # by CallSid
        self._going: dict[str, Going] = {}  # by CallSid

    def count(self, caller: Caller) -> None:
        """A call has passed the gate; asked about again it stays one call."""
        if caller.call_sid not in self._asked:
            self._remember(caller.call_sid, Party(caller.number, caller.called))

    def read(self, event: Event) -> None:
        call_sid = str(event.get("call_sid") or "")
        match event.get("event"):
            case "call.admitted" if call_sid:
                if call_sid not in self._asked:  # it did not pass the gate: the test sentence
                    self._remember(call_sid, None)
                self._asked[call_sid].admitted = True
            case "call.refused" | "line.left":
                self._give_back(call_sid)
            case "stream.started":
                self._going[call_sid] = Going(self._party(call_sid), clock.now())
            case "call.ended" | "call.failed" if call_sid in self._going:
                self._charge(self._going.pop(call_sid))
            case "speech.rendered" | "speech.left":
                self._spoke(self._party(call_sid), str(event.get("provider")), event.get("characters"))

    async def run(self) -> None:
        """Charge the calls that go on, until cancelled."""
        while True:
            await asyncio.sleep(CHARGE_EVERY_S)
            for going in self._going.values():
                self._charge(going)

    def _remember(self, call_sid: str, party: Party | None) -> None:
        self._asked[call_sid] = Asked(party, self._counting.note(party, Used(calls=1)))
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)

    def _give_back(self, call_sid: str) -> None:
        """The caller did not come in after all."""
        asked = self._asked.get(call_sid)
        if asked is not None and not asked.admitted:
            del self._asked[call_sid]
            self._counting.note(asked.party, Used(calls=-1), at=asked.at)

    def _party(self, call_sid: str) -> Party | None:
        """Whose call it is; None for a program's request, and for a call that another server let in."""
        known = self._going.get(call_sid) or self._asked.get(call_sid)
        return known.party if known is not None else None

    def _charge(self, going: Going) -> None:
        lasted_ms = round((clock.now() - going.since) * 1000)
        cost = self._prices.minutes(going.charged_ms, lasted_ms)
        self._counting.note(going.party, Used(ms=lasted_ms - going.charged_ms), cost=cost)
        going.charged_ms = lasted_ms

    def _spoke(self, party: Party | None, voice: str, characters: object) -> None:
        if isinstance(characters, int) and voice != UNBILLED:
            cost = self._prices.characters(voice, characters)
            self._counting.note(party, Used(characters=characters), cost=cost)
