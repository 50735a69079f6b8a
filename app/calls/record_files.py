"""Records of calls as files, for one server with no store beside it: it finds again what it knew."""

import asyncio
import os
import re
from collections import OrderedDict
from pathlib import Path
from typing import Self

from app import clock
from app.calls.resume import KEPT_S, Record, decode, encode
from app.log import log

NAME = re.compile(r"[A-Za-z0-9_-]{2,64}")
SWEEP_S = 60.0


class RecordFiles:
    """One file a call under `folder`, written by one task in a thread: the latest record of a call wins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: OrderedDict[str, Record] = OrderedDict()
        self._bell = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._works = True
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._task = self._group.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.flush()
        self._task.cancel()
        await self._group.__aexit__(None, None, None)

    def save(self, record: Record) -> None:
        if NAME.fullmatch(record.call_sid):
            self._waiting[record.call_sid] = record
            self._settled.clear()
            self._bell.set()

    async def load(self, call_sid: str) -> Record | None:
        if not NAME.fullmatch(call_sid):
            return None
        if call_sid in self._waiting:
            return self._waiting[call_sid]
        record = await asyncio.to_thread(self._read, call_sid)
        fresh = record is not None and clock.wall().timestamp() - record.written_at <= KEPT_S
        return record if fresh else None

    async def flush(self) -> None:
        await self._settled.wait()

    async def _run(self) -> None:
        swept_at = clock.now() - SWEEP_S
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._waiting:
                batch = list(self._waiting.values())
                await asyncio.to_thread(self._write_all, batch)
                for record in batch:
                    if self._waiting.get(record.call_sid) is record:
                        del self._waiting[record.call_sid]
            if clock.now() - swept_at >= SWEEP_S:
                swept_at = clock.now()
                await asyncio.to_thread(self._sweep, clock.wall().timestamp())
            if not self._waiting:  # nothing came meanwhile
                self._settled.set()

    def _write_all(self, batch: list[Record]) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for record in batch:
                path = self._folder / f"{record.call_sid}.json"
                unfinished = path.with_suffix(".part")
                unfinished.touch(mode=0o600)  # it may hold what the caller said
                unfinished.write_bytes(encode(record))
                os.replace(unfinished, path)
        except OSError as error:
            if self._works:
                log.error("resume.not_written", fault=str(error), folder=str(self._folder))
            self._works = False
        else:
            self._works = True

    def _read(self, call_sid: str) -> Record | None:
        try:
            return decode((self._folder / f"{call_sid}.json").read_bytes())
        except OSError:
            return None

    def _sweep(self, now: float) -> None:
        """Remove what nobody will ask for any more."""
        for path in self._folder.glob("*.*"):
            try:
                if now - path.stat().st_mtime > KEPT_S:
                    path.unlink()
            except OSError:
                continue  # another process was quicker
