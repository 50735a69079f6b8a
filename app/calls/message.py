"""A message a caller leaves: kept as a WAV file under the operator's data directory."""

import os
import wave
from pathlib import Path

from app.audio import mulaw
from app.audio.frame import SAMPLE_RATE
from app.calls.listening import Listening
from app.log import log


def save(folder: Path, call_sid: str, mulaw_bytes: bytes) -> Path:
    """Write one message, 8 kHz 16-bit mono; whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = sum(1 for _ in folder.glob(f"{call_sid}-*.wav")) + 1
    path = folder / f"{call_sid}-{number}.wav"
    unfinished = path.with_suffix(".part")
    unfinished.touch(mode=0o600)  # it holds what the caller said
    with wave.open(str(unfinished), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(mulaw.decode(mulaw_bytes).tobytes())
    os.replace(unfinished, path)
    return path


class Mailbox:
    """Takes one caller's messages, through the call's listening; without a folder nothing is kept."""

    def __init__(self, listening: Listening, folder: Path | None, call_sid: str) -> None:
        self._listening = listening
        self._folder = folder
        self._call_sid = call_sid

    def open(self) -> None:
        """Keep what the caller says from now on; no recogniser hears it."""
        self._listening.recorded = bytearray()

    def close(self, *, keep: bool) -> None:
        """The message is over."""
        recorded, self._listening.recorded = self._listening.recorded, None
        if not keep or not recorded:
            log.info("message.dropped", reason="nothing was said")
            return
        if self._folder is None:
            log.warning("message.dropped", reason="RETENTION_DAYS is 0")
            return
        try:
            path = save(self._folder, self._call_sid, bytes(recorded))
        except OSError as error:
            log.error("message.lost", fault=str(error))
        else:
            log.info("message.taken", path=str(path), duration_s=round(len(recorded) / SAMPLE_RATE, 1))
