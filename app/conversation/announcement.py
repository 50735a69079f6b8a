"""The smallest conversation: say a text, then listen, or hang up."""

from app.conversation.port import CallResumed, CallStarted, Fact, GiveUp, HangUp, Order, Say, SpeechFailed
from app.conversation.stateless import Stateless


class Announcement(Stateless):
    """Says `text` once the caller can hear; `then_hang_up` ends the call when it has been heard."""

    def __init__(self, text: str, *, then_hang_up: bool = False) -> None:
        self._text = text
        self._then_hang_up = then_hang_up

    def handle(self, fact: Fact) -> list[Order]:
        match fact:
            case CallStarted():
                return [Say(self._text), HangUp()] if self._then_hang_up else [Say(self._text)]
            case CallResumed(unheard):
                return [*unheard, HangUp()] if self._then_hang_up else list(unheard)
            case SpeechFailed():
                # No voice is left: a caller must not sit in silence.
                return [GiveUp()]
            case _:
                return []
