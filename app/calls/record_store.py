"""Records of calls in the store, for whoever of the fleet goes on with a call.

The files of this server are written beside it: a store that was emptied is no reason to forget. What is in
the store is signed: whoever else writes there must not say what callers hear, or whom they are put through
to.
"""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Self

from app import clock
from app.calls.resume import KEPT_S, Record, Records, decode, encode
from app.capacity.scripts import Script
from app.capacity.store import Store, StoreAway
from app.log import log

MOST_AT_ONCE = 100  # records in one go: a few hundred kilobytes
MOST_WAITING = 5000  # records that wait for the store's return; the oldest are dropped
SAVE = Script.read(Path(__file__).parent / "lua" / "record_save.lua")
RETRY_S = 0.25  # seconds between two looks whether the store is back
SIGNATURE = 32  # bytes, before the record


class RecordStore:
    """Every call's latest record under a key that ends by itself, written by one task in the background.

    Args:
        store: entered before this.
        files: where every record is kept as well.
        secrets: of all replicas, the first to sign with, any to be signed with; none: nothing is signed.
    """

    def __init__(self, store: Store, files: Records, *, secrets: Sequence[bytes] = ()) -> None:
        self._store = store
        self._signs = _Signs(secrets)
        self._files = files
        self._waiting: OrderedDict[str, Record] = OrderedDict()
        self._bell = asyncio.Event()
        self._moved = asyncio.Event()
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._life.enter_async_context(self._files)
        group = await self._life.enter_async_context(asyncio.TaskGroup())
        self._life.callback(group.create_task(self._run()).cancel)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.flush()
        await self._life.aclose()

    def save(self, record: Record) -> None:
        """As `Records.save`."""
        self._waiting[record.call_sid] = record
        self._waiting.move_to_end(record.call_sid)
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        self._files.save(record)
        self._bell.set()

    async def load(self, call_sid: str) -> Record | None:
        """As `Records.load`: what was saved here and not written yet, the store's, or the file's."""
        if call_sid in self._waiting:
            return self._waiting[call_sid]
        with suppress(StoreAway):
            written = await self._store.ask("HGET", self._key(call_sid), "body")
            if written is not None and (record := self._signs.read(written, call_sid)) is not None:
                return record
        return await self._files.load(call_sid)

    async def flush(self) -> None:
        """Return when all is in the files, and in the store unless that is away."""
        while self._waiting and self._store.available:
            self._moved.clear()
            await self._moved.wait()
        await self._files.flush()

    async def _run(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._waiting:
                if not await self._write():
                    self._moved.set()
                    await asyncio.sleep(RETRY_S)
                self._moved.set()

    async def _write(self) -> bool:
        """Whether some of what waits is in the store now."""
        if not self._store.available:
            return False
        self._drop_the_old()
        batch = list(self._waiting.values())[:MOST_AT_ONCE]
        keys = [self._key(record.call_sid) for record in batch]
        pairs = [each for record in batch for each in (record.streams, self._signs.written(record))]
        try:
            await self._store.run(SAVE, keys, [round(1000 * KEPT_S), *pairs])
        except StoreAway:
            return False
        for record in batch:
            if self._waiting.get(record.call_sid) is record:
                del self._waiting[record.call_sid]
        return True

    def _drop_the_old(self) -> None:
        """After a long absence nobody asks for most of them any more."""
        born = clock.wall().timestamp() - KEPT_S
        for call_sid in [sid for sid, record in self._waiting.items() if record.written_at < born]:
            del self._waiting[call_sid]

    def _key(self, call_sid: str) -> str:
        return self._store.key("record", call_sid)


class _Signs:
    """Signs records, and reads those that one of us has signed."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._keys = [hmac.digest(secret, b"hotline record", "sha256") for secret in secrets]

    def written(self, record: Record) -> bytes:
        body = encode(record)
        return hmac.digest(self._keys[0], body, "sha256") + body if self._keys else body

    def read(self, written: bytes, call_sid: str) -> Record | None:
        """None for what nobody of us can have written, or was written of another call."""
        body = written[SIGNATURE:] if self._keys else written
        if self._keys and not any(
            [hmac.compare_digest(written[:SIGNATURE], hmac.digest(key, body, "sha256")) for key in self._keys]
        ):
            log.error("record.forged", call_sid=call_sid)
            return None
        record = decode(body)
        return record if record is not None and record.call_sid == call_sid else None
