"""The calls that are live now, and how the recent ones ended."""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

REMEMBERED = 1000  # ended calls; Twilio asks what follows within seconds of the end


class Ending(StrEnum):
    """How a call's stream ended."""

    CALLER_HUNG_UP = "caller_hung_up"
    FINISHED = "finished"  # we said all there was and hung up
    SESSION_TIMEOUT = "session_timeout"
    TRANSFERRED = "transferred"  # to somebody else's phone
    HANDED_OVER = "handed_over"  # to another server, which goes on with the call
    SPEECH_FAILED = "speech_failed"  # no voice was left
    TAKEN_OVER = "taken_over"  # by a newer stream of the same call
    STREAM_BROKE = "stream_broke"  # the socket went away without `stop`
    PROTOCOL_BROKEN = "protocol_broken"
    INTERNAL_ERROR = "internal_error"

    @property
    def is_normal(self) -> bool:
        return self in (Ending.CALLER_HUNG_UP, Ending.FINISHED)

    @property
    def goes_on(self) -> bool:
        """Whether the call is to go on with a new stream, if the caller is still there."""
        return self in (Ending.HANDED_OVER, Ending.STREAM_BROKE, Ending.INTERNAL_ERROR)


class Leaver(Protocol):
    """A call that can be asked to go on elsewhere."""

    def leave(self) -> None:
        """End the stream at the next silence."""

    def part(self, notice: str) -> None:
        """Say the notice now, and end the stream."""

    def give_way(self) -> None:
        """A newer stream has the call: end this one at once, without a word."""

    def lost(self) -> None:
        """Twilio says that the stream is over, and sends nothing more."""

    @property
    def silent_s(self) -> float:
        """For how many seconds Twilio has sent nothing."""

    @property
    def doing(self) -> str:
        """In one word, for operators."""

    @property
    def streams(self) -> int:
        """How many the call has had, this one included."""


@dataclass(frozen=True, slots=True)
class LiveCall:
    """What an operator may know of a call that is going on."""

    call_sid: str
    stream_sid: str
    started_at: str
    """ISO 8601, UTC."""
    leaver: Leaver | None = None

    def told(self) -> dict[str, object]:
        """In values that JSON can hold."""
        call = self.leaver
        return {
            "call_sid": self.call_sid,
            "stream_sid": self.stream_sid,
            "started_at": self.started_at,
            "state": call.doing if call is not None else "unknown",
            "streams": call.streams if call is not None else 1,
        }


@dataclass(frozen=True, slots=True)
class Departed:
    """A call whose stream has ended."""

    ending: Ending
    transfer_to: str = ""


class Registry:
    """Live and recent calls of this process, by CallSid."""

    def __init__(self) -> None:
        self._live: dict[str, LiveCall] = {}
        self._ended: OrderedDict[str, Departed] = OrderedDict()

    @property
    def live(self) -> list[LiveCall]:
        return list(self._live.values())

    def leaver_of(self, call_sid: str) -> Leaver | None:
        """The call's, while it has a stream here."""
        live = self._live.get(call_sid)
        return live.leaver if live is not None else None

    def began(self, call: LiveCall) -> None:
        """A stream has begun; an older one of the same call gives way to it."""
        older = self._live.get(call.call_sid)
        self._live[call.call_sid] = call
        if older is not None and older.leaver is not None:
            older.leaver.give_way()

    def ended(self, call_sid: str, departed: Departed) -> None:
        """A stream is over, and with it the call, unless it gave way to a newer one."""
        if departed.ending is Ending.TAKEN_OVER:
            return
        self._live.pop(call_sid, None)
        self._ended[call_sid] = departed
        self._ended.move_to_end(call_sid)
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def ending_of(self, call_sid: str) -> Ending | None:
        """How the call's stream ended; None while it lives, or when no stream ever came."""
        departed = self._ended.get(call_sid)
        return departed.ending if departed is not None else None

    def transfer_of(self, call_sid: str) -> str:
        """The number that an ended call is to be handed to; empty for any other."""
        departed = self._ended.get(call_sid)
        return departed.transfer_to if departed is not None else ""
