"""One sentence on its way to one caller: what is left to say, and how long the caller has heard nothing."""

from app import clock
from app.capacity.port import Rank
from app.speech.reel import LONGEST_BYTES, Reel

BYTES_PER_S = 8_000


class Telling:
    """Filled by one voice after the other, until nothing is left to say; read by whoever plays it."""

    def __init__(self, text: str, rank: Rank, call: str = "", *, longest_bytes: int = LONGEST_BYTES) -> None:
        self.rest = text.lstrip()
        self.rank = rank
        self.call = call
        self.voices: list[str] = []  # that were heard, in order
        self._reel = Reel(longest_bytes)
        self._dry_at = clock.now()

    @property
    def reel(self) -> Reel:
        return self._reel

    @property
    def dry_at(self) -> float:
        """When the caller has heard all that was handed out, if it was played as it came."""
        return self._dry_at

    async def hand(self, mulaw: bytes, voice: str = "") -> None:
        """Let frames be heard."""
        if not mulaw:
            return
        if voice and self.voices[-1:] != [voice]:
            self.voices.append(voice)
        self._dry_at = max(self._dry_at, clock.now()) + len(mulaw) / BYTES_PER_S
        await self._reel.put(mulaw)
