"""The smallest conversation: say a text, then listen, or hang up."""

from app.conversation.port import CallStarted, Fact, GiveUp, HangUp, Order, Say, SpeechFailed


class Announcement:
    """Says `text` once the caller can hear; `then_hang_up` ends the call when it has been heard."""

    def __init__(self, text: str, *, then_hang_up: bool = False) -> None:
        self._text = text
        self._then_hang_up = then_hang_up

    def handle(self, fact: Fact) -> list[Order]:
        match fact:
            case CallStarted():
                return [Say(self._text), HangUp()] if self._then_hang_up else [Say(self._text)]
            case SpeechFailed():
                # No voice is left: a caller must not sit in silence.
                return [GiveUp()]
            case _:
                return []
