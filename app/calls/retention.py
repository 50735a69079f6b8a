"""How long what callers leave behind is kept on disk, and how it is deleted before that when a caller asks.

Under the data directory that is `messages/` (their voice, and notes of where Twilio keeps it: that is deleted
there as well),
`callbacks.jsonl` (their numbers), and `resume/` (where a conversation stood; nobody asks for it after two
minutes). What is kept under `speech/` is what the hotline says to everybody.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from app import clock
from app.calls.notes import CallBack, Notes, Recording
from app.calls.resume import KEPT_S
from app.log import log

T = TypeVar("T")
Delete = Callable[[str], Awaitable[bool]]

SWEEP_S = 3600.0
LEAST_IN_MEMORY = timedelta(hours=1)  # of events: an operator must see what went wrong just now


@dataclass(slots=True)
class Swept:
    """What one sweep removed, and what it could not."""

    messages: int = 0
    callbacks: int = 0
    records: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def removed(self) -> int:
        return self.messages + self.callbacks + self.records


class Retention:
    """What callers left under one data directory; every method blocks on the disk.

    Args:
        days: until it is deleted; with 0 nothing is to outlive its call.
    """

    def __init__(self, folder: Path, days: float) -> None:
        self.days = days
        self._folder = folder
        self._notes = Notes(folder)

    def due_at_twilio(self, now: datetime) -> list[str]:
        """RecordingSids of what Twilio has kept for too long, as far as it was noted."""
        oldest = (now - timedelta(days=self.days)).timestamp()
        return self._recordings(self._old(self._messages(), oldest))

    def at_twilio(self, *, number: str = "", call_sid: str = "") -> list[str]:
        """RecordingSids of what one caller left.

        Raises:
            OSError: it cannot be read whose is what.
        """
        calls = {call_sid, *(self._calls_of(number) if number else ())} - {""}
        return self._recordings(path for path in self._messages() if _call_sid_of(path) in calls)

    def sweep(self, now: datetime, *, left: Collection[str] = ()) -> Swept:
        """Delete what is older than it may be. Never raises: what cannot be deleted now is named.

        Of recordings that are `left` at Twilio the notes stay, without numbers: they are to be deleted yet.
        """
        swept = Swept()
        kept = timedelta(days=self.days)
        oldest = (now - kept).timestamp()
        ours = (
            path for path in self._old(self._messages(), oldest) if not self._stays(path, left, swept.faults)
        )
        swept.messages = _remove(ours, swept.faults)
        swept.records = _remove(self._old(self._records(), now.timestamp() - KEPT_S), swept.faults)
        try:
            swept.callbacks = self._notes.keep_call_backs(lambda line: _is_young(line, now - kept))
        except OSError as error:
            swept.faults.append(str(error))
        return swept

    def forget(self, *, number: str = "", call_sid: str = "") -> Swept:
        """Delete what one caller left: by their number as far as it was noted, and by their call.

        Raises:
            OSError: it cannot be read whose is what.
        """
        swept = Swept()
        calls = {call_sid, *(self._calls_of(number) if number else ())} - {""}

        def is_theirs(line: bytes) -> bool:
            wish = _decoded(line, CallBack)
            return wish is not None and (wish.call_sid in calls or (bool(number) and wish.number == number))

        theirs = (path for path in self._messages() if _call_sid_of(path) in calls)
        swept.messages = _remove(theirs, swept.faults)
        swept.records = _remove((path for path in self._records() if path.stem in calls), swept.faults)
        try:
            swept.callbacks = self._notes.keep_call_backs(lambda line: not is_theirs(line))
        except OSError as error:
            swept.faults.append(str(error))
        return swept

    def _calls_of(self, number: str) -> Iterator[str]:
        """The calls of which it was noted that they came from this number."""
        for line in self._notes.call_backs():
            wish = _decoded(line, CallBack)
            if wish is not None and wish.number == number:
                yield wish.call_sid
        for path in self._messages():
            note = _note(path)
            if note is not None and note.number == number:
                yield note.call_sid

    def _stays(self, path: Path, left: Collection[str], faults: list[str]) -> bool:
        """Whether the note is of a recording that is left at Twilio; if so it loses its numbers."""
        note = _note(path) if left else None
        if note is None or note.recording_sid not in left:
            return False
        try:
            if note.number or note.called:
                age = path.stat()
                kept = self._notes.recording(msgspec.structs.replace(note, number="", called=""))
                os.utime(kept, (age.st_atime, age.st_mtime))
        except OSError as error:
            faults.append(str(error))
        return True

    def _recordings(self, paths: Iterator[Path]) -> list[str]:
        try:
            notes = [_note(path) for path in paths]
        except OSError:  # the sweep names it
            return []
        return [note.recording_sid for note in notes if note is not None and note.recording_sid]

    def _messages(self) -> Iterator[Path]:
        return _files(self._folder / "messages")

    def _records(self) -> Iterator[Path]:
        return _files(self._folder / "resume")

    def _old(self, paths: Iterator[Path], oldest: float) -> Iterator[Path]:
        for path in paths:
            with contextlib.suppress(OSError):  # gone meanwhile
                if path.lstat().st_mtime <= oldest:
                    yield path


async def keep_no_longer(
    retention: Retention, forget_events: Callable[[datetime], object], delete: Delete | None = None
) -> None:
    """Sweep now and then every hour, until cancelled.

    Args:
        forget_events: drops what is in memory and older.
        delete: deletes a recording at Twilio; True when it is not there any more.
    """
    pause_s = SWEEP_S if retention.days else KEPT_S
    while True:
        now = clock.wall()
        due = await asyncio.to_thread(retention.due_at_twilio, now) if delete is not None else []
        left = [sid for sid in due if delete is not None and not await delete(sid)]
        if left:
            log.error("retention.left_at_twilio", recordings=left)
        swept = await asyncio.to_thread(retention.sweep, now, left=left)
        forget_events(now - max(timedelta(days=retention.days), LEAST_IN_MEMORY))
        if swept.removed:
            log.info(
                "retention.swept",
                messages=swept.messages,
                callbacks=swept.callbacks,
                records=swept.records,
                days=retention.days,
            )
        if swept.faults:
            log.error("retention.failed", left=len(swept.faults), fault=swept.faults[0])
        await asyncio.sleep(pause_s)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _remove(paths: Iterator[Path], faults: list[str]) -> int:
    removed = 0
    try:
        found = list(paths)
    except OSError as error:  # a folder that cannot be read must not end the server
        faults.append(str(error))
        return 0
    for path in found:
        try:
            path.unlink()
        except FileNotFoundError:
            continue  # another process was quicker
        except OSError as error:
            faults.append(str(error))
        else:
            removed += 1
    return removed


def _is_young(line: bytes, oldest: datetime) -> bool:
    """Whether a wish is younger than that; what cannot be dated may hold a number, and is not kept."""
    wish = _decoded(line, CallBack)
    try:
        return wish is not None and datetime.fromisoformat(wish.asked_at) > oldest
    except (ValueError, TypeError):  # the latter: a time without its zone
        return False


def _call_sid_of(path: Path) -> str:
    note = _note(path)
    return note.call_sid if note is not None else path.stem.rpartition("-")[0]


def _note(path: Path) -> Recording | None:
    if path.suffix != ".json":
        return None
    try:
        return _decoded(path.read_bytes(), Recording)
    except OSError:
        return None


def _decoded(written: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(written, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
