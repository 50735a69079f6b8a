"""What others may ask of a live call: to go on elsewhere, to give way, and what it is doing."""

from collections.abc import Callable

from app.calls.registry import Ending
from app.calls.turn_taking import TurnTaking
from app.calls.vigil import Vigil


class CallLeaver:
    """One call's `Leaver`.

    Args:
        turns: of the call.
        end: ends its stream at once.
        streams: how many the call has had, this one included.
        vigil: knows when Twilio has last sent something.
    """

    def __init__(self, turns: TurnTaking, end: Callable[[Ending], None], streams: int, vigil: Vigil) -> None:
        self.streams = streams
        self._turns = turns
        self._end = end
        self._vigil = vigil

    def leave(self) -> None:
        """End the stream at the next silence: another server goes on."""
        self._turns.leave()

    def part(self, notice: str) -> None:
        """Say the notice now, in place of all else, and end the stream: another server goes on."""
        self._turns.part(notice)

    def give_way(self) -> None:
        """A newer stream has the call."""
        self._end(Ending.TAKEN_OVER)

    def lost(self) -> None:
        """Twilio says that the stream is over, and sends nothing more: the call goes on with another."""
        self._end(Ending.STREAM_BROKE)

    @property
    def silent_s(self) -> float:
        """For how many seconds Twilio has sent nothing."""
        return self._vigil.silent_s

    @property
    def doing(self) -> str:
        """In one word, for operators."""
        return self._turns.doing
