"""Plays back the caller's own audio: for a test of the line, both ways."""

from app.conversation import port
from app.conversation.port import Expect, Fact, GiveUp, HangUp, Order, PlayBack, PressKeys, Say
from app.conversation.stateless import Stateless

GREETING = "Say something, and you will hear yourself. Hang up when you have had enough."
FAREWELL_AFTER = 3  # silences in a row


class Parrot(Stateless):
    """Gives back sounds and keys as they came; needs no recogniser."""

    def handle(self, fact: Fact) -> list[Order]:
        """Take one fact, give all orders that follow from it, in order."""
        match fact:
            case port.CallStarted():
                return [Say(GREETING), Expect(())]
            case port.CallResumed(unheard):
                return [*unheard, Expect(())]
            case port.UtteranceHeard() | port.NotUnderstood():
                return [PlayBack(), Expect(())]
            case port.KeysEntered(digits) if digits:
                return [PressKeys(digits)]
            case port.SilenceLasted(times) if times >= FAREWELL_AFTER:
                return [Say("Nobody seems to be there. Goodbye."), HangUp()]
            case port.SilenceLasted():
                return [Say("I hear nothing. Say something, or press a key.")]
            case port.SpeechFailed():
                return [GiveUp()]  # no voice is left: a caller must not sit in silence
        return []
