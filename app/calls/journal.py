"""Keeps one call's record up to date, so that another server could go on with the call."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from app import clock
from app.calls.registry import Ending
from app.calls.resume import Record, Records, unheard
from app.playout.marks import Line

REFRESH_S = 30.0  # seconds between two records of a call on which nothing happens; old ones are not believed


class Standing(Protocol):
    """What can be written down."""

    def snapshot(self) -> Mapping[str, object]:
        """Where it stands, in values that JSON can hold."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What does not change on one stream."""

    call_sid: str
    conversation: str
    streams: int = 1
    replica: str = ""


class Journal:
    """One stream's; `note` after everything that matters, `close` at the end."""

    def __init__(
        self, records: Records, heading: Heading, standing: Standing, lines: Callable[[], list[Line]]
    ) -> None:
        self._records = records
        self._heading = heading
        self._standing = standing
        self._lines = lines
        self._noting: asyncio.Handle | None = None
        self._frozen: Record | None = None

    def note(self) -> None:
        """Something has changed; all changes of one moment are written once."""
        if self._noting is None:
            self._noting = asyncio.get_running_loop().call_soon(self._write)

    def freeze(self) -> None:
        """What stands now is what another server goes on from, whatever is said until the end."""
        self._frozen = self._frozen or self._record().cut(clock.wall().timestamp())

    async def run(self) -> None:
        """Keep the record fresh until the call cancels this."""
        while True:
            self.note()
            await asyncio.sleep(REFRESH_S)

    def close(self, ending: Ending, *, transfer_to: str = "") -> None:
        """The stream is over."""
        if self._noting is not None:
            self._noting.cancel()
        self._records.save(self._record(ending.value, transfer_to))

    def _write(self) -> None:
        self._noting = None
        self._records.save(self._record())

    def _record(self, ending: str = "", transfer_to: str = "") -> Record:
        if self._frozen is not None:
            return msgspec.structs.replace(self._frozen, ending=ending, written_at=clock.wall().timestamp())
        return Record(
            call_sid=self._heading.call_sid,
            conversation=self._heading.conversation,
            state=dict(self._standing.snapshot()),
            unheard=unheard(self._lines(), wall_s=clock.wall().timestamp() - clock.now()),
            ending=ending,
            transfer_to=transfer_to,
            streams=self._heading.streams,
            replica=self._heading.replica,
            written_at=clock.wall().timestamp(),
        )
