"""Whether somebody's call is taken at all, whatever room there is: the kill switch, the lists, the limits."""

from collections.abc import Callable
from typing import Protocol

from app.calls.closing import Closing
from app.calls.reception import Caller, No, TurnAway
from app.calls.spending import Party
from app.calls.welcome import Welcome


class Spending(Protocol):
    """What was spent, here or by all replicas together; answers at once, from what is known."""

    def over(self, party: Party) -> str:
        """Why a call of these two cannot be taken; empty: it can."""

    @property
    def exhausted(self) -> str:
        """Which budget is spent; empty: none."""

    @property
    def closed(self) -> str:
        """Why nobody's call can be taken; empty: somebody's can."""


class Gate:
    """Asked once for every new caller; who passes is counted at once, so that a burst passes no limit."""

    def __init__(
        self, closing: Closing, welcome: Welcome, spending: Spending, count: Callable[[Caller], None]
    ) -> None:
        """`count` is told of everybody who passes."""
        self._closing = closing
        self._welcome = welcome
        self._spending = spending
        self._count = count

    def __call__(self, caller: Caller) -> TurnAway | None:
        """Why not; None lets the caller pass."""
        if not self._welcome.admits(caller.number):
            return TurnAway(No.NOT_WELCOME)
        if self._closing.reason:
            return TurnAway(No.CLOSED, self._closing.reason)
        if spent := self._spending.exhausted:
            return TurnAway(No.BUDGET, spent)
        if over := self._spending.over(Party(caller.number, caller.called)):
            return TurnAway(No.LIMIT, over)
        self._count(caller)
        return None

    @property
    def reason(self) -> str:
        """Why nobody is let in now, in words for everybody; empty: some are."""
        return self._closing.reason or self._spending.closed
