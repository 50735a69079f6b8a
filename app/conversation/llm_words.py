"""What is said in the conversation with a model without asking it: greeting, silence, apologies, goodbye."""

from collections.abc import Sequence

from app.conversation.persona import Persona
from app.conversation.port import Expect, HangUp, Order, Say
from app.conversation.variants import Variants


class FixedWords:
    """The words of one call that no model chooses; `variants` is renewed when the call is known."""

    def __init__(self, persona: Persona, greeting: str) -> None:
        self.greeting = greeting or persona.greeting
        self.variants = Variants()
        self._persona = persona

    def expect(self) -> Expect:
        return Expect(self._persona.phrases)

    def line(self, kind: str, /, **values: str) -> Say:
        """One wording of a field of `Lines`, with its placeholders filled."""
        wordings: Sequence[str] = getattr(self._persona.lines, kind)
        text = self.variants.choose(wordings)
        for placeholder, value in values.items():
            text = text.replace(f"{{{placeholder}}}", value)
        return Say(text)

    def silence(self, times: int) -> list[Order]:
        wordings = self._persona.lines.silence
        if times > len(wordings):
            return self.farewell("silence_goodbye")
        return [Say(wordings[times - 1]), self.expect()]

    def farewell(self, kind: str) -> list[Order]:
        return [self.line(kind), HangUp()]
