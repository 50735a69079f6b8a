"""The audio of one utterance on its way to a recogniser: bounded, and kept for another to take over."""

from typing import Final

BYTES_PER_MS: Final = 8
CHUNK: Final = 80 * BYTES_PER_MS  # worth a packet; a frame of 20 ms each would be four times the work
MOST_IN_FLIGHT: Final = 2000 * BYTES_PER_MS  # sent and not yet worked on: so no caller crowds out a neighbour
MOST_UNSENT: Final = 8000 * BYTES_PER_MS  # a recogniser that far behind is no use any more
MOST_KEPT: Final = 20_000 * BYTES_PER_MS  # the longest utterance there is; what is older cannot be replayed


class Utterance:
    """What the caller says, from the first byte to the answer."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ended_at: float | None = None  # monotonic seconds, while the caller speaks None
        self.begin_sent = self.end_sent = False
        self.replays = 0
        self._mulaw = bytearray()
        self._sent = 0  # of what is kept
        self._in_flight = 0
        self.dropped = 0  # bytes that no recogniser will ever hear

    def add(self, mulaw: bytes) -> None:
        """Take audio; the oldest that has not been sent goes when there is too much of it."""
        self._mulaw += mulaw
        excess = len(self._mulaw) - self._sent - MOST_UNSENT
        if excess > 0:
            del self._mulaw[self._sent : self._sent + excess]
            self.dropped += excess
        old = min(len(self._mulaw) - MOST_KEPT, self._sent)
        if old > 0:
            del self._mulaw[:old]
            self._sent -= old

    def take(self) -> bytes:
        """What may be sent now: whole chunks, or all that is left once the utterance has ended."""
        size = min(len(self._mulaw) - self._sent, MOST_IN_FLIGHT - self._in_flight)
        if self.ended_at is None:
            size -= size % CHUNK
        mulaw = bytes(self._mulaw[self._sent : self._sent + size])
        self._sent += len(mulaw)
        self._in_flight += len(mulaw)
        return mulaw

    def worked_on(self, count: int) -> None:
        """The recogniser has done `count` bytes of what was sent."""
        self._in_flight = max(self._in_flight - count, 0)

    def rewind(self) -> None:
        """Another recogniser takes over: everything is to be sent again."""
        self.replays += 1
        self.begin_sent = self.end_sent = False
        self._sent = self._in_flight = 0

    @property
    def all_sent(self) -> bool:
        return self.ended_at is not None and self._sent == len(self._mulaw)

    @property
    def audio_ms(self) -> int:
        return len(self._mulaw) // BYTES_PER_MS
