"""The store's side of a fleet's slots and line: one method a script, and what it answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from app import capacity
from app.capacity.scripts import Script
from app.capacity.store import Argument, Store

LUA = Path(__file__).parent / "lua"
SERVER = Path(capacity.__file__).parent / "lua" / "server.lua"
NAMES = ("sync", "enter", "join", "expect", "leave", "adopt", "release", "fetch")
SCRIPTS = {name: Script.read(SERVER, LUA / "desk.lua", LUA / f"desk_{name}.lua") for name in NAMES}
KEYS = ("slots", "line", "expected", "fetched", "who", "past", "rooms", "meta")


@dataclass(frozen=True, slots=True)
class Kept:
    """One slot that a replica holds."""

    call_sid: str
    numbers: str
    """As `who` of the store has them; empty: leave them."""
    hold_ms: int


@dataclass(frozen=True, slots=True)
class View:
    """All slots and the line, as they stood when the store answered; times in its own milliseconds."""

    inside: frozenset[str]
    numbers: dict[str, str]
    line: list[tuple[str, int]]
    """CallSid, and since when it waits; in order."""
    fetched: dict[str, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a replica is told once a second, and before it decides."""

    now_ms: int
    version: str
    room: int
    settling: bool
    """The store has just been emptied: all replicas have to be heard before it can decide."""
    lapsed: list[str]
    view: View | None
    """None: as it was."""


class DeskLedger:
    """A fleet's slots and line in the store. Every method raises `StoreAway` where there is no answer."""

    def __init__(self, store: Store, replica: str) -> None:
        self.store = store
        self._replica = replica
        self._keys = [*(store.key("desk", name) for name in KEYS), store.key("server")]

    async def sync(
        self, room: int, version: str, kept: Sequence[Kept] = (), *, returning: bool = False
    ) -> Standing:
        """Say that this replica takes `room` calls, and what it holds."""
        told: list[Argument] = [self._replica, room, version, len(kept)]
        for each in kept:
            told += [each.call_sid, each.numbers, each.hold_ms]
        answer = await self._run("sync", told, returning=returning)
        now_ms, now_version, most, settling, lapsed, view = answer
        return Standing(
            now_ms, now_version.decode(), most, bool(settling), _texts(lapsed), _view(view) if view else None
        )

    async def enter(
        self, call_sid: str, numbers: str, hold_ms: int, passing: Iterable[str] = (), *, again: bool = False
    ) -> str:
        """Take a slot, in turn: `in`, `full`, `left` or `settling`."""
        how = "again" if again else "in line"
        told: list[Argument] = [call_sid, numbers, hold_ms, how, *passing]
        return await self._word("enter", told)

    async def join(
        self,
        call_sid: str,
        numbers: str,
        *,
        waited_ms: int,
        within_ms: int,
        most: int,
        fetched: bool = False,
        returning: bool = False,
    ) -> str:
        """Stand in line, or stay there: the position from 1, `full`, `left`, or `in` (has a slot)."""
        told: list[Argument] = [call_sid, numbers, waited_ms, within_ms, most, "" if fetched else "1"]
        return await self._word("join", told, returning=returning)

    async def expect(self, call_sid: str, within_ms: int) -> None:
        """Who is in line asks again within so long, or has gone."""
        await self._run("expect", [call_sid, within_ms])

    async def leave(self, call_sid: str) -> str:
        """Gone for good: `now` (out of the line), `before`, or `never_waited`."""
        return await self._word("leave", [call_sid])

    async def adopt(self, call_sid: str) -> str:
        """The socket is here: `in` or `full`."""
        return await self._word("adopt", [call_sid])

    async def release(self, ended: Iterable[tuple[str, int]]) -> None:
        """Streams have ended; each slot is kept for so many milliseconds more."""
        await self._run("release", [each for pair in ended for each in pair])

    async def fetch(self, call_sids: Iterable[str]) -> list[str]:
        """Those of them that nobody else is sending in."""
        return _texts(await self._run("fetch", list(call_sids)))

    async def _word(self, name: str, args: Sequence[Argument], *, returning: bool = False) -> str:
        return str((await self._run(name, args, returning=returning)).decode())

    async def _run(self, name: str, args: Sequence[Argument], *, returning: bool = False) -> Any:
        return await self.store.run(SCRIPTS[name], self._keys, args, returning=returning)


def _view(told: Sequence[Any]) -> View:
    inside, numbers, line, fetched = (_texts(part) for part in told)
    return View(
        frozenset(inside),
        dict(zip(numbers[::2], numbers[1::2], strict=True)),
        [(sid, _ms(since)) for sid, since in zip(line[::2], line[1::2], strict=True)],
        {sid: _ms(since) for sid, since in zip(fetched[::2], fetched[1::2], strict=True)},
    )


def _ms(told: str) -> int:
    moment = float(told)
    return round(moment) if isfinite(moment) else 0


def _texts(told: Sequence[bytes]) -> list[str]:
    return [each.decode(errors="replace") for each in told]
