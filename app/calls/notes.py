"""What callers in line leave behind: the wish to be called back, and where Twilio keeps their message."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

import msgspec


class CallBack(msgspec.Struct, frozen=True):
    """One line of `callbacks.jsonl`."""

    asked_at: str
    """ISO 8601, UTC."""
    call_sid: str
    number: str
    called: str


class Recording(msgspec.Struct, frozen=True):
    """One note beside the messages that are kept here themselves."""

    taken_at: str
    call_sid: str
    recording_sid: str
    url: str
    duration_s: int
    number: str
    called: str


class Notes:
    """Written under the operator's data directory, readable by its owner alone: they hold numbers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wishes = folder / "callbacks.jsonl"

    def call_back(self, wish: CallBack) -> None:
        """Append it to `callbacks.jsonl`.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        line = msgspec.json.encode(wish) + b"\n"
        with _locked(self._wishes) as file:
            os.write(file.fileno(), line)

    def call_backs(self) -> list[bytes]:
        """The lines of `callbacks.jsonl`, without their ends; none where there is no such file.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            return self._wishes.read_bytes().splitlines()
        except FileNotFoundError:
            return []

    def keep_call_backs(self, wanted: Callable[[bytes], bool]) -> int:
        """Delete the lines of `callbacks.jsonl` that are not wanted; how many there were.

        Raises:
            OSError: the file cannot be read, or the folder not be written.
        """
        if not self._wishes.exists():
            return 0
        unfinished = self._wishes.with_suffix(".part")
        with _locked(self._wishes):
            unfinished.unlink(missing_ok=True)  # of a process that died
            lines = self.call_backs()
            kept = [line for line in lines if wanted(line)]
            if len(kept) < len(lines):
                with _private(unfinished, os.O_TRUNC) as file:
                    file.writelines(line + b"\n" for line in kept)
                os.replace(unfinished, self._wishes)
        return len(lines) - len(kept)

    def recording(self, note: Recording) -> Path:
        """Keep it as `messages/<CallSid>-<RecordingSid>.json`; the same one when told again.

        Raises:
            OSError: the folder cannot be written.
        """
        folder = self._folder / "messages"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{note.call_sid}-{note.recording_sid}.json"
        unfinished = path.with_suffix(".part")
        with _private(unfinished, os.O_TRUNC) as file:
            file.write(msgspec.json.encode(note))
        os.replace(unfinished, path)
        return path


@contextmanager
def _locked(path: Path) -> Iterator[BufferedWriter]:
    """The file at `path`, to append to, while no other process appends to it or replaces it."""
    while True:
        with _private(path, os.O_APPEND) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Who held the lock before us may have put another file in its place.
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                yield file
                return


def _private(path: Path, flag: int) -> BufferedWriter:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600), "wb")
