"""What a caller in line hears: the operator's audio or a quiet piece of our own, in files of some seconds."""

import io
import wave

from app.audio import mulaw
from app.audio.frame import SAMPLE_RATE
from app.audio.tone import tone

PIECE_S = 10.0  # seconds of one file: how old the news of the position may grow
NOTE_MS = 400
BRIEF_S = 2 * NOTE_MS / 1000  # seconds of one file where nobody can fetch a caller out of it
LEVEL_DBFS = -27.0  # below a voice's, so that news stand out
# Hz; broken chords of C, A minor, F and G, twice each.
CHORDS = ((262, 330, 392, 330), (220, 262, 330, 262), (175, 220, 262, 220), (196, 247, 294, 247))


def shipped() -> bytes:
    """Our own piece: some 25 seconds of mu-law."""
    notes = [hertz for _ in range(2) for chord in CHORDS for hertz in (*chord, *chord)]
    return b"".join(tone(hertz, NOTE_MS, LEVEL_DBFS) for hertz in notes)


def pieces(mulaw_bytes: bytes, piece_s: float = PIECE_S) -> tuple[bytes, ...]:
    """As WAV files, 8 kHz 16-bit mono, to be played in turn."""
    size = round(piece_s * SAMPLE_RATE)
    return tuple(_wav(mulaw_bytes[at : at + size]) for at in range(0, len(mulaw_bytes), size))


def _wav(mulaw_bytes: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(mulaw.decode(mulaw_bytes).tobytes())
    return file.getvalue()
