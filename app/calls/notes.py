"""What callers in line leave behind: the wish to be called back, and where Twilio keeps their message."""

import os
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

    def call_back(self, wish: CallBack) -> None:
        """Append it to `callbacks.jsonl`.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        line = msgspec.json.encode(wish) + b"\n"
        # One write of a whole line, so that two processes do not mix theirs.
        with _private(self._folder / "callbacks.jsonl", os.O_APPEND) as file:
            os.write(file.fileno(), line)

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


def _private(path: Path, flag: int) -> BufferedWriter:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600), "wb")
