"""How fast one media socket may speak: enough for every burst of Twilio's, and no more. Pure.

Twilio sends 50 messages a second, of some 300 bytes. After the network has stood still it sends at once what
piled up meanwhile; a stall of more than our ping's patience (40 s) ends the stream, so no burst is longer.
"""

MESSAGES_PER_S = 100.0  # frames a second, control frames and fragments too: twice what Twilio sends
BURST_MESSAGES = 50 * 40.0  # what piles up in 40 s
BYTES_PER_S = 64 * 1024.0  # four times Twilio's
BURST_BYTES = 1024 * 1024.0  # 40 s of Twilio's, and room for one message as large as we take


class Flow:
    """Two token buckets, for messages and for bytes, which may be overdrawn by what was read already."""

    def __init__(self) -> None:
        self._messages = BURST_MESSAGES
        self._bytes = BURST_BYTES
        self._seen_at: float | None = None

    def take(self, messages: int, size: int, now: float) -> None:
        """So much has been read."""
        self._refill(now)
        self._messages -= messages
        self._bytes -= size

    def wait_s(self, now: float) -> float:
        """Seconds until more may be read; 0 when it may now."""
        self._refill(now)
        return max(0.0, -self._messages / MESSAGES_PER_S, -self._bytes / BYTES_PER_S)

    def _refill(self, now: float) -> None:
        passed = 0.0 if self._seen_at is None else max(0.0, now - self._seen_at)
        self._seen_at = now
        self._messages = min(BURST_MESSAGES, self._messages + passed * MESSAGES_PER_S)
        self._bytes = min(BURST_BYTES, self._bytes + passed * BYTES_PER_S)
