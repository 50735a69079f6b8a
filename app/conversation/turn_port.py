"""What the turn machine is told, and what it orders its shell to do."""

from dataclasses import dataclass
from enum import StrEnum

from app.conversation.alarms import Alarm
from app.conversation.port import (
    CallResumed,
    CallStarted,
    EarsAwaited,
    Fact,
    HearingLost,
    KeyPressed,
    TransferFailed,
    UtteranceHeard,
)


@dataclass(frozen=True, slots=True)
class CallerBegan:
    """Voice activity began, at this media time."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class CallerBargedIn:
    """The caller's voice has lasted long enough, and is loud enough, to be no accident."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class CallerStopped:
    """Endpointing decided that the utterance has ended; its transcript follows."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class NoiseHeard:
    """What had begun was no speech; no transcript follows."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Interim:
    """What the caller has said so far of the utterance that goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class SentenceBegan:
    """The first frame of a sentence or prompt of the reply has left (of a filler it is not told)."""

    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class ReplyHeard:
    """All orders of the conversation have come and all their audio was played; at once if there is none."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The line is gone."""


@dataclass(frozen=True, slots=True)
class Tick:
    """`next_deadline` has come."""


TurnFact = (
    CallStarted
    | CallResumed
    | CallerBegan
    | CallerBargedIn
    | CallerStopped
    | NoiseHeard
    | Interim
    | UtteranceHeard
    | KeyPressed
    | SentenceBegan
    | ReplyHeard
    | TransferFailed
    | HearingLost
    | EarsAwaited
    | CallEnded
    | Tick
)


Given = TurnFact | Alarm


@dataclass(frozen=True, slots=True)
class Ask:
    """Hand this to the conversation; its orders are the reply."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Fall silent at once (`clear`), filler included, and hold what was cut until one of the next two."""


@dataclass(frozen=True, slots=True)
class Resume:
    """It was nothing: go on where the caller ceased to hear us."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """The caller has the floor: drop what is held and what is still being made, tell `Interrupted`."""


@dataclass(frozen=True, slots=True)
class PlayFiller:
    """The reply is late: say this until it comes."""

    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """Keep what the caller says from now on, and let no recogniser hear it."""


@dataclass(frozen=True, slots=True)
class EndMessage:
    """Stop recording; `keep` is false when nothing was said."""

    keep: bool


TurnOrder = Ask | Interrupt | Resume | Abandon | PlayFiller | Record | EndMessage


class Floor(StrEnum):
    """Who has the floor."""

    LISTENING = "listening"  # the caller, or nobody
    THINKING = "thinking"  # ours: the conversation was asked, nothing of its reply has left
    SPEAKING = "speaking"  # ours: the caller hears the reply
    HOLDING = "holding"  # the reply is cut, and it is not known yet whether by words
    RECORDING = "recording"  # the caller leaves a message
    TRANSFERRING = "transferring"  # the caller is being handed over
    ENDING = "ending"  # a goodbye is being said, or the line is gone


OPEN = (Floor.LISTENING, Floor.TRANSFERRING)  # where a caller begins, or comes back
SURE_WORDS = 2  # of a transcript that is not final; a recogniser makes a single one of any cough
# How a reply is ended from each floor on which keys are gathered.
SILENCING: dict[Floor, list[TurnOrder]] = {
    Floor.LISTENING: [],
    Floor.THINKING: [Interrupt(), Abandon()],
    Floor.SPEAKING: [Interrupt(), Abandon()],
    Floor.HOLDING: [Abandon()],
}


class BargeIn(StrEnum):
    """What ends a reply that is interruptible."""

    SPEECH = "speech"  # the caller's voice; it is resumed if no words come of it
    WORDS = "words"  # only words that a recogniser made of it
    NEVER = "never"  # nothing but keys


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """The patience of the turn machine; every value is positive."""

    silence_s: float = 7.0
    """Of nobody speaking, until the conversation is told; people look for a pen in less."""
    false_start_s: float = 2.0
    """Between the end of a sound and going on; a transcript takes less."""
    transcript_s: float = 2.5
    """Between the end of an utterance and giving its words up; hearing promises 2."""
    noise_up_to_ms: int = 1000
    """A sound without words that interrupted us and was shorter is a cough; longer, it was not understood."""
    filler_after_s: float = 1.2
    """Of waiting for a reply until a filler is said; a pause this long is noticed."""
    message_silence_s: float = 4.0
    """Of silence that ends a message."""
    barge_in: BargeIn = BargeIn.SPEECH
    least_words: int = 1
    """Words that take the floor from us."""
    fillers: tuple[str, ...] = ()
