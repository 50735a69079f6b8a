"""How far one voice has come in its text: which frames may be heard, and what is left when it fails.

Of a voice that tells its alignment only whole words are let through, so that the next voice can go on with
the next word. Of any other the place is reckoned from the length of the audio, and the word that was cut is
said again.
"""

import math
from dataclasses import dataclass, field

from app.audio.frame import FRAME_BYTES, SILENCE
from app.speech.port import Spoken
from app.speech.words import is_boundary, whole_words

BYTES_PER_MS = 8
# English at an ordinary pace, 150 to 160 words a minute, is 14 to 16 characters a second (bench/speech.py).
USUAL_MS_PER_CHARACTER = 66.0
MEMORY = 0.7  # of what a pace was learned from, what still counts after one sentence more
# ms of audio beyond the last word that is known to have ended; longer than the longest word. A vendor who has
# told nothing of so much does not tell its alignment at all, and nobody should wait for it.
LONGEST_HOLD_MS = 2_000
NEARLY = 0.02  # characters: what rounding leaves short of a word's end


@dataclass(slots=True)
class Pace:
    """How fast a voice speaks, learned from the sentences that it finished; the recent ones count most."""

    _ms: float = 0.0
    _characters: float = 0.0

    @property
    def ms_per_character(self) -> float:
        return self._ms / self._characters if self._characters else USUAL_MS_PER_CHARACTER

    def learn(self, text: str, audio_ms: float) -> None:
        """A sentence took so long."""
        if characters := len(text.strip()):
            self._ms = self._ms * MEMORY + audio_ms
            self._characters = self._characters * MEMORY + characters


@dataclass(frozen=True, slots=True)
class Cut:
    """A voice failed: frames of it that may still be heard, and the text that is left to say."""

    mulaw: bytes
    rest: str


@dataclass(slots=True)
class Progress:
    """One voice's way through one text. Frames in are whole, frames out as well."""

    text: str
    aligned: bool
    ms_per_character: float
    _held: bytearray = field(default_factory=bytearray)
    _heard_bytes: int = 0
    # Ends of words that the voice has told, and where their audio ends; the beginning is known.
    _ends: list[Spoken] = field(default_factory=lambda: [Spoken(0, 0.0)])

    def spoken(self, told: Spoken) -> bytes:
        """The voice tells where it is; gives the frames that may now be heard."""
        last = self._ends[-1]
        characters = min(told.characters, len(self.text))
        onward = characters > last.characters and told.until_ms >= last.until_ms
        if onward and is_boundary(self.text, characters):
            self._ends.append(Spoken(characters, told.until_ms))
        return self._release()

    def made(self, mulaw: bytes) -> bytes:
        """The voice has made these frames; gives those that may now be heard."""
        self._held += mulaw
        return self._release()

    def finish(self) -> bytes:
        """The voice has said all of it; gives what was held."""
        return self._take(len(self._held))

    def cut(self) -> Cut:
        """The voice failed."""
        if self.aligned:
            end = self._last_end()
            size = max(0, round(end.until_ms * BYTES_PER_MS) - self._heard_bytes)
            mulaw = self._take(min(size, len(self._held)))
            return Cut(mulaw + SILENCE * (-len(mulaw) % FRAME_BYTES), self._from(end.characters))
        return Cut(b"", self._from(whole_words(self.text, self._reckoned())))

    @property
    def heard_ms(self) -> float:
        """Audio that was let through."""
        return self._heard_bytes / BYTES_PER_MS

    def _from(self, characters: int) -> str:
        return self.text[characters:].lstrip()

    def _release(self) -> bytes:
        if not self.aligned:
            return self._take(len(self._held))
        sure = int(self._last_end().until_ms * BYTES_PER_MS) // FRAME_BYTES * FRAME_BYTES
        if sure > self._heard_bytes:
            return self._take(min(sure - self._heard_bytes, len(self._held)))
        arrived_ms = (self._heard_bytes + len(self._held)) / BYTES_PER_MS
        if len(self._held) > LONGEST_HOLD_MS * BYTES_PER_MS and self._ends[-1].until_ms <= arrived_ms:
            self.aligned = False
            return self._take(len(self._held))
        return b""

    def _last_end(self) -> Spoken:
        """The last word whose audio has come to its end."""
        arrived_ms = (self._heard_bytes + len(self._held)) / BYTES_PER_MS
        return next(end for end in reversed(self._ends) if end.until_ms <= arrived_ms)

    def _reckoned(self) -> int:
        """Characters said so far, from the last that is known and the pace."""
        last = self._last_end()
        further = (self.heard_ms - last.until_ms) / self.ms_per_character
        return last.characters + math.floor(further + NEARLY)

    def _take(self, size: int) -> bytes:
        mulaw = bytes(self._held[:size])
        del self._held[:size]
        self._heard_bytes += size
        return mulaw
