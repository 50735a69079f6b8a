"""What the conversation has ordered besides words in answer to the last question, and how far it has come."""

from dataclasses import dataclass

from app.conversation.port import UtteranceHeard
from app.conversation.turn_port import Floor
from app.conversation.wording import is_backchannel, plain


@dataclass(slots=True)
class Reply:
    """Our side of the turns."""

    interruptible: bool = True
    """Of the sentence that is being said."""
    expected: frozenset[str] = frozenset()
    """Answers, in plain wording."""
    kept: UtteranceHeard | None = None
    """Words that have to wait for the end of what is being said."""
    message_s: float | None = None
    """The longest message to take when the reply has been heard."""
    parting: Floor | None = None
    """Where the call goes if a reply that is held is resumed, for its last words are goodbye."""
    recording_since: float = 0.0
    message_begun: bool = False

    def expect(self, phrases: tuple[str, ...]) -> None:
        self.expected = frozenset(plain(phrase) for phrase in phrases)

    def is_ended_by(self, text: str, *, least_words: int) -> bool:
        """Whether these words take the floor: an answer always, else enough of them, backchannels never."""
        said = plain(text)
        if said in self.expected:
            return True
        return len(said.split()) >= least_words and not is_backchannel(said)
