"""The contract of a conversation: facts in the past tense come in, orders in the imperative go out.

A conversation is pure: it knows no socket, no task and no clock, so a whole call can be played to it
as a list of facts. One that has to wait for a model streams its orders instead.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The caller is on the line and can hear."""

    call_sid: str
    parameters: dict[str, str] = field(default_factory=dict)
    """What travelled in `<Parameter>`, without the stream token."""


@dataclass(frozen=True, slots=True)
class UtteranceHeard:
    """The caller has said this and stopped; `confidence` is 0..1."""

    text: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The caller has said something, and no words could be made of it."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed one key; a call with turns gathers them into `KeysEntered`."""

    digit: str


@dataclass(frozen=True, slots=True)
class KeysEntered:
    """The keys that were gathered, without the terminator; empty when only that was pressed."""

    digits: str


@dataclass(frozen=True, slots=True)
class SilenceLasted:
    """Nobody has spoken for long; `times` in a row, from 1."""

    times: int


@dataclass(frozen=True, slots=True)
class SentenceHeard:
    """The phone has played all of it."""

    text: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller took the floor: of what was ordered they heard the first part, to the word."""

    heard: str
    unheard: str


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """The recording has ended; 0 seconds when the caller said nothing."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """Nobody took the caller over, and they are still on the line."""

    number: str


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """No voice could say it; the caller has heard none or only a part of it."""

    text: str


@dataclass(frozen=True, slots=True)
class HearingLost:
    """No recogniser listens any more: only keys reach us."""


@dataclass(frozen=True, slots=True)
class EarsAwaited:
    """Every recogniser is taken: the caller is in line for one, at this place from 1; keys work meanwhile."""

    position: int


@dataclass(frozen=True, slots=True)
class CallResumed:
    """The caller is back on a new stream; `unheard` was ordered, and not heard on the one before."""

    unheard: "tuple[Say | PlayPrompt, ...]" = ()
    cut_off: bool = True
    """The caller noticed: a server died, or had to end the stream in mid-reply."""


Fact = (
    CallStarted
    | UtteranceHeard
    | NotUnderstood
    | KeyPressed
    | KeysEntered
    | SilenceLasted
    | SentenceHeard
    | Interrupted
    | MessageTaken
    | TransferFailed
    | SpeechFailed
    | HearingLost
    | EarsAwaited
    | CallResumed
)


@dataclass(frozen=True, slots=True)
class Say:
    """Say this after what is being said; any length, cut into sentences on the way."""

    text: str
    interruptible: bool = True
    """Whether the caller's voice ends it; keys always do."""


@dataclass(frozen=True, slots=True)
class PlayPrompt:
    """Play an operator's audio file after what is being said."""

    path: str
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Press these keys (0-9 A-D * #) for whoever is on the line, as tones after what is being said."""

    keys: str


@dataclass(frozen=True, slots=True)
class PlayBack:
    """Play the audio of the caller's last utterance to them."""


@dataclass(frozen=True, slots=True)
class GatherKeys:
    """How the keys of the next answer belong together; without this order each key is an answer."""

    most: int = 1
    terminator: str = "#"
    within_s: float = 5.0
    """Seconds after a key until the answer counts as complete."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What is likely to be said next, for the recogniser; nothing means anything."""

    phrases: tuple[str, ...]
    digits: bool = False
    """Numbers are dictated: pauses between them are longer."""


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """When all before has been heard: a tone, then record the caller; `MessageTaken` follows."""

    longest_s: float


@dataclass(frozen=True, slots=True)
class Transfer:
    """When all before has been heard: hand the caller to this number; `TransferFailed` if nobody is there."""

    number: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call as soon as all that was ordered before has been heard."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the call at once; the telephone network says a plain sentence in our place."""


Order = (
    Say | PlayPrompt | PressKeys | PlayBack | GatherKeys | Expect | TakeMessage | Transfer | HangUp | GiveUp
)


class Conversation(Protocol):
    """What is said on one call; one object per call."""

    def handle(self, fact: Fact) -> list[Order]:
        """Take one fact, give all orders that follow from it, in order."""

    def snapshot(self) -> dict[str, object]:
        """Where the conversation stands, in values that JSON can hold."""

    def restore(self, state: Mapping[str, object]) -> None:
        """Stand where `snapshot` stood, perhaps in another version; what cannot be read is left out."""


class StreamingConversation(Protocol):
    """A conversation that has to wait for its words; one object per call, one answer at a time."""

    def snapshot(self) -> dict[str, object]:
        """As `Conversation.snapshot`."""

    def restore(self, state: Mapping[str, object]) -> None:
        """As `Conversation.restore`."""

    def respond(self, fact: Fact) -> AsyncGenerator[Order, None]:
        """Take one fact, give the orders as they become known; closing the iterator abandons the rest."""
