"""An utterance's audio until the vendor has confirmed it, so that a new connection can be told it again."""

from app.audio.frame import SAMPLE_RATE

LONGEST_BYTES = 30 * SAMPLE_RATE  # mu-law, one byte a sample; longer than any utterance may last


class Unconfirmed:
    """Audio in the order it came; a ring that forgets its oldest when full.

    Positions count from the beginning of the utterance: `_start <= _sent <= _start + len(_mulaw)`.
    """

    def __init__(self, longest_bytes: int = LONGEST_BYTES) -> None:
        self.dropped_bytes = 0  # never told to anybody
        self._longest_bytes = longest_bytes
        self._mulaw = bytearray()
        self._start = 0
        self._sent = 0
        self._connected = 0  # where the connection that stands began

    def __len__(self) -> int:
        return len(self._mulaw)

    @property
    def unsent_bytes(self) -> int:
        return self._start + len(self._mulaw) - self._sent

    def put(self, mulaw: bytes) -> None:
        """Add what was heard."""
        self._mulaw += mulaw
        surplus = len(self._mulaw) - self._longest_bytes
        if surplus > 0:
            self.dropped_bytes += max(0, self._start + surplus - self._sent)
            self._forget(surplus)

    def take(self, most_bytes: int) -> bytes:
        """The next piece to be sent; empty when all was."""
        at = self._sent - self._start
        piece = bytes(self._mulaw[at : at + most_bytes])
        self._sent += len(piece)
        return piece

    def confirm(self, taken_bytes: int) -> None:
        """The vendor is done with so many bytes of what was sent on this connection."""
        self._forget(min(self._connected + taken_bytes, self._sent) - self._start)

    def drop_unsent(self) -> None:
        """Nobody wants the rest."""
        del self._mulaw[self._sent - self._start :]

    def rewind(self) -> int:
        """A new connection knows nothing: send again all that is unconfirmed; gives how much that is."""
        again = self._sent - self._start
        self._sent = self._connected = self._start
        return again

    def _forget(self, size: int) -> None:
        if size > 0:
            del self._mulaw[:size]
            self._start += size
            if self._sent < self._start:
                # What the vendor never got is no part of the connection's count.
                self._connected += self._start - self._sent
                self._sent = self._start
