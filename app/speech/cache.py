"""Phrases rendered ahead: mu-law frames by text and voice, in memory and on disk, shared by all calls."""

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from app.audio.frame import FRAME_BYTES
from app.log import log

MEMORY_BYTES = 32 << 20  # 70 minutes of phrases
DISK_BYTES = 256 << 20
MAGIC = b"hotline-mulaw-1\n"  # another format of the file is another magic
SUFFIX = ".ulaw8k"
DIGEST = 32  # bytes of SHA-256


class SpeechCache:
    """Both tiers forget what was used longest ago.

    A read from disk happens inline: a phrase is some 20 KB, and its file in the system's own cache. Writes
    happen in a thread. A folder that cannot be written leaves the memory tier alone, with one warning.
    """

    def __init__(
        self, folder: Path | None, *, memory_bytes: int = MEMORY_BYTES, disk_bytes: int = DISK_BYTES
    ) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._disk_bytes = disk_bytes
        self._phrases: OrderedDict[str, bytes] = OrderedDict()
        self._held_bytes = 0
        self._writes: set[asyncio.Future[None]] = set()
        self._counts = {"hits": 0, "misses": 0, "damaged": 0}
        self._works = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.flush()

    async def flush(self) -> None:
        """Return when all that was kept is on disk."""
        while self._writes:
            await asyncio.wait(self._writes)

    def find(self, text: str, fingerprints: Sequence[str]) -> bytes | None:
        """The frames of a phrase, by the first of these voices that has said it; None if none has."""
        for fingerprint in fingerprints:
            name = _name(text, fingerprint)
            mulaw = self._phrases.get(name) or self._read(name)
            if mulaw:
                self._hold(name, mulaw)
                self._counts["hits"] += 1
                return mulaw
        self._counts["misses"] += 1
        return None

    def keep(self, text: str, fingerprint: str, mulaw: bytes) -> None:
        """Remember a phrase that was rendered whole: frames of 160 bytes."""
        if not mulaw or len(mulaw) % FRAME_BYTES:
            return
        name = _name(text, fingerprint)
        self._hold(name, mulaw)
        if self._folder is not None:
            write = asyncio.get_running_loop().run_in_executor(None, self._write, self._folder, name, mulaw)
            self._writes.add(write)
            write.add_done_callback(self._writes.discard)

    def status(self) -> dict[str, int]:
        """For the operator."""
        return {**self._counts, "phrases": len(self._phrases), "memory_bytes": self._held_bytes}

    def _hold(self, name: str, mulaw: bytes) -> None:
        self._held_bytes += len(mulaw) - len(self._phrases.pop(name, b""))
        self._phrases[name] = mulaw
        while self._held_bytes > self._memory_bytes:
            _, forgotten = self._phrases.popitem(last=False)
            self._held_bytes -= len(forgotten)

    def _read(self, name: str) -> bytes | None:
        if self._folder is None:
            return None
        path = self._folder / (name + SUFFIX)
        try:
            written = path.read_bytes()
        except OSError:
            return None
        mulaw = _unsealed(written)
        try:
            if mulaw is None:
                self._counts["damaged"] += 1
                log.warning("speech.cache_damaged", file=path.name)
                path.unlink(missing_ok=True)
            else:
                os.utime(path)  # used now: the oldest go first
        except OSError:
            pass  # another process was quicker, or the disk can only be read
        return mulaw

    def _write(self, folder: Path, name: str, mulaw: bytes) -> None:
        """In a thread: whole or not at all, whoever else writes the same."""
        path = folder / (name + SUFFIX)
        unfinished = folder / f"{name}.{os.getpid()}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(_sealed(mulaw))
            os.replace(unfinished, path)
            self._sweep(folder)
        except OSError as error:
            if self._works:
                log.warning("speech.cache_not_written", folder=str(folder), fault=str(error))
            self._works = False
        else:
            self._works = True

    def _sweep(self, folder: Path) -> None:
        """Remove the oldest files while there are too many bytes."""
        found = []
        for path in folder.glob("*" + SUFFIX):
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((stat.st_mtime, stat.st_size, path))
        excess = sum(size for _, size, _ in found) - self._disk_bytes
        for _, size, path in sorted(found):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size


def _name(text: str, fingerprint: str) -> str:
    """Blanks between words make no sound; everything else may."""
    return hashlib.sha256("\0".join((" ".join(text.split()), fingerprint)).encode()).hexdigest()


def _sealed(mulaw: bytes) -> bytes:
    return MAGIC + hashlib.sha256(mulaw).digest() + mulaw


def _unsealed(written: bytes) -> bytes | None:
    """The frames of a file; None when it is damaged, cut off, or of another kind."""
    mulaw = written[len(MAGIC) + DIGEST :]
    whole = written.startswith(MAGIC) and hashlib.sha256(mulaw).digest() == written[len(MAGIC) :][:DIGEST]
    return mulaw if whole and mulaw and len(mulaw) % FRAME_BYTES == 0 else None
