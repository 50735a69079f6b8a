"""What is known of the caller's voice at the moment, and of what they have said without an answer yet."""

from dataclasses import dataclass

from app.conversation.port import EarsAwaited, HearingLost, KeyPressed, UtteranceHeard
from app.conversation.turn_port import CallerBegan, CallerStopped, Interim, NoiseHeard, TurnFact


@dataclass(slots=True)
class Caller:
    """The caller's side of the turns; media times in milliseconds."""

    speaking: bool = False
    began_ms: int = 0
    lasted_ms: int = 0
    recorded: bool = False
    """The utterance belongs to a message: its words are not for us."""
    said: UtteranceHeard | None = None
    """Words that were followed by another utterance before they could be answered."""
    silences: int = 0
    ears: HearingLost | EarsAwaited | None = None
    """Why nobody listens, while the conversation was not told yet."""

    def note(self, fact: TurnFact, *, recorded: bool) -> None:
        """Take what the caller does; `recorded` while a message is taken."""
        match fact:
            case CallerBegan(at_ms):
                self.speaking, self.began_ms, self.recorded = True, at_ms, recorded
            case CallerStopped(at_ms) | NoiseHeard(at_ms):
                self.speaking, self.lasted_ms = False, at_ms - self.began_ms
            case Interim(text) | UtteranceHeard(text) if text:
                self.silences = 0
            case KeyPressed():
                self.silences = 0

    def take_ears(self) -> HearingLost | EarsAwaited:
        ears, self.ears = self.ears, None
        return ears or HearingLost()

    def add(self, heard: UtteranceHeard) -> None:
        """One more utterance of a turn that goes on."""
        if heard.text and self.said is not None:
            confidence = min(self.said.confidence, heard.confidence)
            self.said = UtteranceHeard(f"{self.said.text} {heard.text}", confidence)
        elif heard.text:
            self.said = heard

    def take_said(self) -> UtteranceHeard | None:
        said, self.said = self.said, None
        return said
