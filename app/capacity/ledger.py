"""The store's side of one provider's permits: one method a script, and what it answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.capacity.scripts import Script
from app.capacity.store import Store

LUA = Path(__file__).parent / "lua"
ACQUIRE, RENEW, RELEASE, TEACH = (
    Script.read(LUA / "permits.lua", LUA / f"{name}.lua") for name in ("acquire", "renew", "release", "teach")
)
NO_NEWS = "-"  # to be said where the vendor's word has not changed
UNPLACED = "0"  # the place of one who was never in the line


@dataclass(frozen=True, slots=True)
class Standing:
    """How the provider's permits stood when the store answered."""

    at_ms: int
    """The server's clock."""
    in_use: int
    waiting: int
    limit: int


@dataclass(frozen=True, slots=True)
class Answer:
    """To one who asked: `granted`, `waiting` at that place, `full` (the line), `gone` (was given back)."""

    standing: Standing
    outcome: str
    place: str


@dataclass(frozen=True, slots=True)
class Renewal:
    """To all that one replica holds and waits for."""

    standing: Standing
    granted: list[str]
    """Of those that waited."""
    revived: list[str]
    """Of those held: their lease had run out or was lost, and stands again."""
    above: int
    """How many of these are above the limit."""
    held_elsewhere: int
    waiting_elsewhere: int
    places: dict[str, str]
    """Of those that wait."""


class Ledger:
    """One provider's permits in the store. Every method raises `StoreAway` where there is no answer.

    Args:
        store: where they are.
        provider: whose workspace.
        configured: permits at once, as this replica was told, if it was; the scripts know of lower limits.
        most_waiting: in line, over all replicas.
    """

    def __init__(self, store: Store, provider: str, configured: int | None, most_waiting: int) -> None:
        self.store = store
        self._keys = [
            *(store.key("permits", provider, each) for each in ("held", "line", "alive", "gone", "meta")),
            store.key("server"),
        ]
        self._common = (store.key("permits", provider, "wake", ""), configured or 0, most_waiting)

    def channel(self, owner: str) -> str:
        """Where the ids that were granted to `owner` are published."""
        return f"{self._common[0]}{owner}"

    async def acquire(self, lease: str, leaving: Iterable[str] = ()) -> Answer:
        """Give `leaving` back, and ask for `lease`; harmless when repeated."""
        standing, outcome, place = await self._run(ACQUIRE, lease, *leaving)
        return Answer(_standing(standing), outcome.decode(), place.decode())

    async def renew(
        self, owner: str, held: Sequence[str], waiting: Iterable[tuple[str, str]], *, returning: bool = False
    ) -> Renewal:
        """Say what `owner` holds, and who waits at which place.

        With `returning` this is the first word after an absence: is it still the server that it was?
        """
        run = (self.store.run_id or "unknown") if returning else ""
        known = dict(waiting)
        pairs = [each for pair in known.items() for each in pair]
        told = await self._run(RENEW, run, owner, len(held), *held, *pairs, returning=returning)
        granted, revived = ([each.decode() for each in ids] for ids in told[1:3])
        places = {lease: place.decode() for lease, place in zip(known, told[6], strict=True)}
        return Renewal(_standing(told[0]), granted, revived, told[3], told[4], told[5], places)

    async def release(self, leases: Iterable[str]) -> Standing:
        """Give back what was held, and leave the line; harmless when repeated."""
        return _standing((await self._run(RELEASE, *leases))[0])

    async def teach(self, vendor: str = NO_NEWS, *, refused: bool = False) -> Standing:
        """What the vendor allows (empty: nothing known), and whether it refused."""
        return _standing((await self._run(TEACH, vendor, int(refused)))[0])

    async def _run(self, script: Script, *args: str | int, returning: bool = False) -> Any:
        return await self.store.run(script, self._keys, (*self._common, *args), returning=returning)


def _standing(told: Sequence[int]) -> Standing:
    return Standing(*told)
