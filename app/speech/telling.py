"""One sentence on its way to one caller: what is left to say, and how long the caller has heard nothing."""

from collections import deque

from app import clock
from app.capacity.port import Rank
from app.speech.port import Spoken
from app.speech.reel import LONGEST_BYTES, Reel

BYTES_PER_S = 8_000
BYTES_PER_MS = 8


class Telling:
    """Filled by one voice after the other, until nothing is left to say; read by whoever plays it."""

    def __init__(
        self,
        text: str,
        rank: Rank,
        call: str = "",
        *,
        longest_bytes: int = LONGEST_BYTES,
        places: list[Spoken] | None = None,
    ) -> None:
        """`places` grows with what is handed out: where in `text` its frames are, over all voices."""
        self.rest = text.lstrip()
        self.rank = rank
        self.call = call
        self.voices: list[str] = []  # that were heard, in order
        self._places = _Places(text, [] if places is None else places)
        self._reel = Reel(longest_bytes)
        self._dry_at = clock.now()

    @property
    def reel(self) -> Reel:
        return self._reel

    @property
    def dry_at(self) -> float:
        """When the caller has heard all that was handed out, if it was played as it came."""
        return self._dry_at

    def go_on(self) -> None:
        """A voice begins with the rest: what it tells of its place counts from here."""
        self._places.go_on(self.rest)

    def spoken(self, told: Spoken) -> None:
        """The voice that speaks tells where it is."""
        self._places.spoken(told)

    async def hand(self, mulaw: bytes, voice: str = "") -> None:
        """Let frames be heard."""
        if not mulaw:
            return
        if voice and self.voices[-1:] != [voice]:
            self.voices.append(voice)
        self._dry_at = max(self._dry_at, clock.now()) + len(mulaw) / BYTES_PER_S
        self._places.handed(len(mulaw) / BYTES_PER_MS)
        await self._reel.put(mulaw)


class _Places:
    """From where a voice is in the text and audio of its own to where that is in the whole sentence's."""

    def __init__(self, text: str, found: list[Spoken]) -> None:
        self._characters = len(text)
        self._found = found
        self._handed_ms = 0.0
        self._origin = Spoken(0, 0.0)
        self._told: deque[Spoken] = deque()  # of audio that may yet be withheld, should the voice fail

    def go_on(self, rest: str) -> None:
        self._origin = Spoken(self._characters - len(rest), self._handed_ms)
        self._told.clear()
        if self._handed_ms:
            self._found.append(self._origin)

    def spoken(self, told: Spoken) -> None:
        characters, until_ms = self._origin
        self._told.append(Spoken(characters + told.characters, until_ms + told.until_ms))

    def handed(self, audio_ms: float) -> None:
        self._handed_ms += audio_ms
        while self._told and self._told[0].until_ms <= self._handed_ms:
            self._found.append(self._told.popleft())
