"""One message of a caller as a file: a WAV that can be played at every moment, and named so when whole."""

import contextlib
import os
import wave
from itertools import count
from pathlib import Path
from typing import BinaryIO

from app.audio import mulaw
from app.audio.frame import SAMPLE_RATE

UNFINISHED = ".part"


class MessageFile:
    """8 kHz, 16 bit, mono; for one thread at a time. The file exists from the first audio on.

    Should the process die, what was appended stays under its `.part` name, and any player reads it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._path: Path | None = None
        self._open: tuple[BinaryIO, wave.Wave_write] | None = None
        self._fault: OSError | None = None

    def append(self, mulaw_bytes: bytes) -> None:
        """Write what follows. After a fault nothing more is written; `finish` tells it."""
        if self._fault is not None:
            return
        try:
            file, wav = self._open or self._begin()
            wav.writeframes(mulaw.decode(mulaw_bytes).tobytes())  # which brings the head up to date too
            file.flush()
        except OSError as error:
            self._fault = error

    def finish(self) -> Path:
        """Nothing follows: the file gets the name of a whole message.

        Raises:
            OSError: it could not be written whole; what there is of it stays under its `.part` name.
        """
        self._close()
        if self._fault is not None or self._path is None:
            raise self._fault or OSError("no audio")
        return self._path.replace(self._path.with_suffix(".wav"))

    def discard(self) -> None:
        """It is no message after all. Never raises."""
        self._close()
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _begin(self) -> tuple[BinaryIO, wave.Wave_write]:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path, file = self._created()
        wav = wave.Wave_write(file)
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        self._open = file, wav
        return self._open

    def _created(self) -> tuple[Path, BinaryIO]:
        """The first name of this call's that nobody has: also what a crash has left keeps its own."""
        for number in count(1):
            path = self._folder / f"{self._name}-{number}{UNFINISHED}"
            if not path.with_suffix(".wav").exists():
                with contextlib.suppress(FileExistsError):
                    return path, open(path, "xb", opener=_for_us_alone)
        raise AssertionError("there is always a next number")

    def _close(self) -> None:
        if self._open is None:
            return
        file, wav = self._open
        self._open = None
        try:
            with file:
                wav.close()
        except OSError as error:
            self._fault = self._fault or error


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # it holds what the caller says
