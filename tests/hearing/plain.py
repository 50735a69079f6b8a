"""The plainest dialect, for tests of those who speak one."""

from app.hearing.dialect import Fact, Message
from app.hearing.fault import Fault


class Plain:
    """A vendor of few words: its messages are words of ours."""

    greets = False
    most_unanswered = 2

    def begin(self) -> None:
        return

    def audio(self, mulaw: bytes) -> Message:
        return mulaw

    def end(self) -> list[Message]:
        return ["end"]

    def keep_alive(self) -> Message:
        return "keep alive"

    def farewell(self) -> list[Message]:
        return []

    def receive(self, message: Message) -> Fact | None:
        raise NotImplementedError

    def refused(self, status: int, headers: object, body: bytes) -> Fault:
        raise NotImplementedError

    def closed(self, code: int, reason: str) -> Fault:
        raise NotImplementedError
