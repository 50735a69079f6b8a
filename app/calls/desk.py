"""Who asks to be let in, and who takes, keeps and gives back slots: the one place that decides both together.

`LocalDesk` serves one process. A fleet has a desk of its own behind the same port.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from app import clock
from app.calls.admission import Admission
from app.calls.reception import Caller, Gate, LetIn, No, Reception, TurnAway, Verdict
from app.errors import AtCapacity


class Left(StrEnum):
    """What leaving the line changed."""

    NOW = "now"
    BEFORE = "before"  # a repeated webhook: they had left for good already
    NEVER_WAITED = "never_waited"


class Desk(Protocol):
    """The slots and the line, of one process or of a fleet."""

    @property
    def reception(self) -> Reception:
        """What is decided over, as it was last known: for operators and probes."""

    @property
    def admission(self) -> Admission:
        """The slots of this process."""

    async def receive(self, caller: Caller, *, waited_s: float = 0.0, fetched: bool = False) -> Verdict:
        """As `Reception.receive`; who is let in has a slot."""

    async def expect(self, call_sid: str, within_s: float) -> None:
        """A caller in line was told to ask again; who does not within `within_s` seconds has gone."""

    async def leave(self, call_sid: str) -> Left:
        """The caller is gone for good, from the line or before their socket came."""

    def pass_on(self, call_sid: str) -> None:
        """This process is leaving, and sent a caller in line to another one."""

    async def take(self, call_sid: str, *, again: bool = False) -> None:
        """A slot without standing in line: for a call whose stream has ended and which goes on (`again`).

        Raises:
            AtCapacity: every slot is taken.
        """

    def has_room_for(self, call_sid: str) -> bool:
        """Whether `adopt` may let the call in: asked before its token is used up."""

    def is_full_of_live_calls(self) -> bool:
        """Whether no socket that comes now can be let in, whatever its token."""

    async def adopt(self, call_sid: str) -> None:
        """The call's socket is here.

        Raises:
            AtCapacity: there is no reservation (any more), and every slot is taken.
        """

    def release(self, call_sid: str, *, goes_on: bool = False) -> None:
        """The call's stream has ended; a call that goes on keeps its slot for a moment."""

    async def look(self) -> list[str]:
        """See what has changed; returns the CallSids of those who left the line without a word."""

    async def due(self) -> list[str]:
        """Who in line can come in now and is to be fetched, by this process."""


class LocalDesk:
    """The desk of one process.

    Args:
        takes_calls: not while this process drains.
    """

    def __init__(
        self,
        reception: Reception,
        admission: Admission,
        takes_calls: Callable[[], bool] = lambda: True,
    ) -> None:
        self.reception = reception
        self.admission = admission
        self.takes_calls = takes_calls

    async def receive(
        self, caller: Caller, *, waited_s: float = 0.0, fetched: bool = False, gate: Gate | None = None
    ) -> Verdict:
        """As `Desk.receive`; `gate` stands in for the reception's own, where that was asked already."""
        verdict = self.reception.receive(caller, clock.now(), waited_s=waited_s, fetched=fetched, gate=gate)
        if isinstance(verdict, LetIn):
            try:
                self.admission.reserve(caller.call_sid, clock.now())
            except AtCapacity as error:  # a webhook repeated after its reservation had lapsed
                return TurnAway(No.HOUSE_FULL, str(error))
        return verdict

    async def expect(self, call_sid: str, within_s: float) -> None:
        waiter = self.reception.line.find(call_sid) if self.reception.line is not None else None
        if waiter is not None:
            waiter.expected_by = clock.now() + within_s

    async def leave(self, call_sid: str) -> Left:
        self.admission.withdraw(call_sid)
        line = self.reception.line
        if line is not None and line.has_left(call_sid):
            return Left.BEFORE
        return Left.NOW if self.reception.leave(call_sid) else Left.NEVER_WAITED

    def pass_on(self, call_sid: str) -> None:
        self.reception.leave(call_sid, for_good=False)

    async def take(self, call_sid: str, *, again: bool = False) -> None:
        if again:
            self.admission.reserve_again(call_sid, clock.now())
        else:
            self.admission.reserve(call_sid, clock.now())

    def has_room_for(self, call_sid: str) -> bool:
        return self.admission.has_room_for(call_sid, clock.now())

    def is_full_of_live_calls(self) -> bool:
        return self.admission.live >= self.admission.max_calls

    async def adopt(self, call_sid: str) -> None:
        self.admission.adopt(call_sid, clock.now())

    def release(self, call_sid: str, *, goes_on: bool = False) -> None:
        if goes_on and self.takes_calls():  # else it goes on elsewhere, and this process waits for nobody
            self.admission.set_aside(call_sid, clock.now())
        else:
            self.admission.release(call_sid)

    async def look(self) -> list[str]:
        return self.reception.look(clock.now())

    async def due(self) -> list[str]:
        return self.reception.called(clock.now())
