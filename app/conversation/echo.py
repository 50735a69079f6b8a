"""Says back what it heard: for a look at ears and voice together."""

from app.conversation import port
from app.conversation.port import Expect, Fact, GiveUp, HangUp, Order, Say
from app.conversation.stateless import Stateless
from app.conversation.wording import SPOKEN

GREETING = "Say something, and I will say back what I heard. Hang up when you have had enough."
FAREWELL_AFTER = 3  # silences in a row


class Echo(Stateless):
    """Repeats words and keys; owns up to what it did not understand."""

    def handle(self, fact: Fact) -> list[Order]:
        """Take one fact, give all orders that follow from it, in order."""
        match fact:
            case port.SpeechFailed():
                return [GiveUp()]  # no voice is left: a caller must not sit in silence
            case port.CallResumed(unheard):
                return [*unheard, Expect(())]
            case port.SilenceLasted(times) if times >= FAREWELL_AFTER:
                return [Say("Nobody seems to be there. Goodbye."), HangUp()]
        text = self._words(fact)
        return [Say(text), Expect(())] if text else []

    def _words(self, fact: Fact) -> str:
        match fact:
            case port.CallStarted():
                return GREETING
            case port.UtteranceHeard(text):
                return f"I heard: {text}"
            case port.NotUnderstood():
                return "I heard a voice, but no words."
            case port.KeysEntered(digits):
                return f"You pressed {' '.join(SPOKEN.get(digit, digit) for digit in digits) or 'nothing'}."
            case port.EarsAwaited(position):
                return f"Every recogniser is taken. You are number {position} in line; I see your keys."
            case port.HearingLost():
                return "I can hear no more words, but I see your keys."
            case port.SilenceLasted():
                return "I hear nothing. Say something, or press a key."
        return ""
