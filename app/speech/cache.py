"""Phrases rendered ahead: mu-law frames by text and voice, in memory and on disk, shared by all calls."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from app.audio.frame import FRAME_BYTES
from app.log import log
from app.speech.cache_folder import CacheFolder, name_of

MEMORY_BYTES = 32 << 20  # 70 minutes of phrases
DISK_BYTES = 256 << 20


class SpeechCache:
    """Both tiers forget what was used longest ago.

    A read from disk happens inline: a phrase is some 20 KB, and its file in the system's own cache. Writes
    happen in a thread. A folder that cannot be written leaves the memory tier alone, with one warning.
    """

    def __init__(
        self, folder: Path | None, *, memory_bytes: int = MEMORY_BYTES, disk_bytes: int = DISK_BYTES
    ) -> None:
        self._folder = None if folder is None else CacheFolder(folder, disk_bytes)
        self._memory = _Memory(memory_bytes)
        self._used: set[str] = set()  # found in memory since the last write: the disk has not seen it
        self._writes: set[asyncio.Future[str]] = set()
        self._counts = {"hits": 0, "misses": 0}
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
            if mulaw := self._find(name_of(text, fingerprint)):
                self._counts["hits"] += 1
                return mulaw
        self._counts["misses"] += 1
        return None

    def keep(self, text: str, fingerprint: str, mulaw: bytes) -> None:
        """Remember a phrase that was rendered whole: frames of 160 bytes."""
        if not mulaw or len(mulaw) % FRAME_BYTES:
            return
        name = name_of(text, fingerprint)
        self._memory.hold(name, mulaw)
        if self._folder is None:
            return
        used, self._used = self._used, set()
        write = asyncio.get_running_loop().run_in_executor(None, self._folder.write, name, mulaw, used)
        self._writes.add(write)
        write.add_done_callback(self._written)

    def status(self) -> dict[str, int]:
        """For the operator."""
        return {
            **self._counts,
            "damaged": 0 if self._folder is None else self._folder.damaged,
            "phrases": self._memory.phrases,
            "memory_bytes": self._memory.held_bytes,
        }

    def _find(self, name: str) -> bytes | None:
        if mulaw := self._memory.find(name):
            self._used.add(name)
            return mulaw
        mulaw = None if self._folder is None else self._folder.read(name)
        if mulaw:
            self._memory.hold(name, mulaw)
        return mulaw

    def _written(self, write: asyncio.Future[str]) -> None:
        """Back on the loop: whoever reads events reads them there."""
        self._writes.discard(write)
        if write.cancelled():
            return
        fault = write.result()
        if fault and self._works:
            log.warning("speech.cache_not_written", folder=str(self._folder), fault=fault)
        self._works = not fault


class _Memory:
    """A bounded number of bytes, by name."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._phrases: OrderedDict[str, bytes] = OrderedDict()
        self.held_bytes = 0

    @property
    def phrases(self) -> int:
        return len(self._phrases)

    def find(self, name: str) -> bytes | None:
        if name not in self._phrases:
            return None
        self._phrases.move_to_end(name)
        return self._phrases[name]

    def hold(self, name: str, mulaw: bytes) -> None:
        """As the newest; what has no room at all drives nothing else out."""
        self.held_bytes -= len(self._phrases.pop(name, b""))
        if len(mulaw) > self._limit_bytes:
            return
        self._phrases[name] = mulaw
        self.held_bytes += len(mulaw)
        while self.held_bytes > self._limit_bytes:
            _, forgotten = self._phrases.popitem(last=False)
            self.held_bytes -= len(forgotten)
