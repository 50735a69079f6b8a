"""What one call is about: who answers, and what is likely to be said."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.conversation.port import CallResumed, StreamingConversation, TransferFailed


@dataclass(frozen=True, slots=True)
class Script:
    """What is said on one call, and what is likely to be answered."""

    conversation: StreamingConversation
    phrases: Sequence[str] = ()
    listens: bool = True
    """False for an announcement: no ear, no recogniser, no silence policy."""
    name: str = ""
    """Of the conversation, in settings and records."""
    opening: CallResumed | TransferFailed | None = None
    """Why the caller is here again, in the midst of the conversation; None: they have just called."""
    streams: int = 1
    """This one included."""
