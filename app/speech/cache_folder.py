"""The disk tier of phrases rendered ahead: one sealed file a phrase, in a folder that processes may share."""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

from app.audio.frame import FRAME_BYTES
from app.log import log

MAGIC = b"hotline-mulaw-1\n"  # another format of the file is another magic, and another name of the file
SUFFIX = ".ulaw8k"
UNFINISHED = ".part"
DIGEST = 32  # bytes of SHA-256
ABANDONED_S = 3600.0  # seconds; a writer takes milliseconds, so whoever wrote this has died


class CacheFolder:
    """Files are written whole or not at all, and believed by their digest alone."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self.damaged = 0
        """Files that were not what they should be, since the start."""

    def __str__(self) -> str:
        return str(self._folder)

    def read(self, name: str) -> bytes | None:
        """The frames under a name; what is damaged, cut off or foreign is removed. Never raises."""
        path = self._path(name)
        try:
            written = path.read_bytes()
        except OSError:
            return None
        mulaw = _unsealed(written)
        with contextlib.suppress(OSError):  # another process was quicker, or the disk can only be read
            if mulaw is None:
                self.damaged += 1
                log.warning("speech.cache_damaged", file=path.name)
                path.unlink(missing_ok=True)
            else:
                os.utime(path)  # used now: the oldest go first
        return mulaw

    def write(self, name: str, mulaw: bytes, used: Iterable[str] = ()) -> str:
        """Keep a phrase, in place of those that were used longest ago; what went wrong, or nothing.

        For a thread: it touches no state of this object and logs nothing. `used` are names that were needed
        since the last time without being read from here.
        """
        # Two threads, or two containers whose process ids are equal, are two writers.
        unfinished = self._folder / f"{name}.{uuid4().hex}{UNFINISHED}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                unfinished.write_bytes(_sealed(mulaw))
                os.replace(unfinished, self._path(name))
            except OSError:
                with contextlib.suppress(OSError):
                    unfinished.unlink(missing_ok=True)  # half a file on a full disk helps nobody
                raise
            self._touch(used)
            self._sweep()
        except OSError as error:
            return str(error)
        return ""

    def _path(self, name: str) -> Path:
        return self._folder / (name + SUFFIX)

    def _touch(self, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(OSError):
                os.utime(self._path(name))

    def _sweep(self) -> None:
        """Remove the oldest files while there are too many bytes, and what dead writers left."""
        found = sorted(self._found("*" + SUFFIX))
        excess = sum(size for _, size, _ in found) - self._limit_bytes
        for _, size, path in found:
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size
        newest = found[-1][0] if found else 0.0  # the disk's own clock, which need not be ours
        for written_at, _, path in self._found("*" + UNFINISHED):
            if newest - written_at > ABANDONED_S:
                path.unlink(missing_ok=True)

    def _found(self, pattern: str) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.glob(pattern):
            with contextlib.suppress(OSError):  # gone meanwhile
                stat = path.stat()
                yield stat.st_mtime, stat.st_size, path


def name_of(text: str, fingerprint: str) -> str:
    """What a phrase is called: blanks between words make no sound; everything else may."""
    normal = " ".join(text.split())
    return hashlib.sha256("\0".join((MAGIC.decode(), normal, fingerprint)).encode()).hexdigest()


def _sealed(mulaw: bytes) -> bytes:
    return MAGIC + hashlib.sha256(mulaw).digest() + mulaw


def _unsealed(written: bytes) -> bytes | None:
    """The frames of a file; None when it is damaged, cut off, or of another kind."""
    mulaw = written[len(MAGIC) + DIGEST :]
    whole = written.startswith(MAGIC) and hashlib.sha256(mulaw).digest() == written[len(MAGIC) :][:DIGEST]
    return mulaw if whole and mulaw and len(mulaw) % FRAME_BYTES == 0 else None
