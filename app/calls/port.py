"""What a call needs from the door: the socket, seen as lines of text."""

from typing import Protocol


class Socket(Protocol):
    """One media WebSocket, already accepted; the only way a call touches the network."""

    async def receive(self) -> str | bytes | None:
        """The next message; None once the other side is gone. Safe to cancel between messages."""

    async def send(self, text: str) -> bool:
        """Send one text message, waiting while the other side does not read; False once it is gone."""

    async def close(self, code: int, reason: str) -> None:
        """Close; a second close, or one after the other side has gone, does nothing."""
