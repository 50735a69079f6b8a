"""What a fleet has spent: each replica tells of its own in the store, and learns there of the others.

Calls are told at once, and wake the others; minutes and characters every second. While the store is away the
others' last figures stand, and are told anew afterwards: every row is a sum, so nothing is counted twice.
"""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from app import clock
from app.calls.budget import Reached
from app.calls.desk_ledger import SERVER
from app.calls.elsewhere import MONEY, Change, Oldest, Row, Sums, amounts_of, changes_of, row_of
from app.calls.spending import ALL, Ledger
from app.calls.usage import Span, Used
from app.capacity.scripts import Script
from app.capacity.store import Store, StoreAway

SPEND = Script.read(SERVER, Path(__file__).parent / "lua" / "spend.lua")
LOOK_S = 1.0  # seconds between two looks at what others have spent
PAUSE_S = 0.02  # seconds between two looks in a hurry
MOST_AT_ONCE = 500  # rows in one command: a few milliseconds of the server
TOLD_S = 40 * 86_400  # seconds; as long as a month's alarm may be told again
CHANNEL = "spending"


class SharedSpending:
    """Gives a ledger the counts of others, and others the ledger's.

    Args:
        store: entered before this is run.
        secret: the same on all replicas: callers' numbers are only told as its digests.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        secret: bytes,
        *,
        wall: Callable[[], float] = lambda: clock.wall().timestamp(),
    ) -> None:
        self._store = store
        self._secret = secret
        self._wall = wall
        self._sums = Sums()
        self._epoch, self._version = "", "0"
        self._money: dict[str, str] = {}  # rows that were told
        self._bell = asyncio.Event()
        self._urgent = False

    def used(self, span: Span, key: str, now: float) -> Used:
        """By this key, elsewhere."""
        return self._sums.used(span, self._hidden(key), now)

    def spent(self, name: str) -> int:
        """In this period, elsewhere."""
        return self._sums.spent(name)

    def hurry(self) -> None:
        """Something was counted that others should know of at once."""
        self._urgent = True
        self._bell.set()

    async def claim(self, news: Reached) -> bool:
        """Whether it is for this replica to tell: the first who asks; everybody, while the store is away."""
        key = self._store.key("told", news.name, str(news.percent))
        try:
            return bool(await self._store.ask("SET", key, "1", "NX", "EX", TOLD_S))
        except StoreAway:
            return True

    async def run(self, ledger: Ledger) -> None:
        """Exchange until cancelled."""

        def told(owner: str) -> None:
            if owner != ledger.owner:
                self._bell.set()

        self._store.listen(self._store.key(CHANNEL), told)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._bell.wait()
            self._bell.clear()
            await self.exchange(ledger)
            await asyncio.sleep(PAUSE_S)

    async def exchange(self, ledger: Ledger) -> None:
        """Tell what is new here, and learn what is new elsewhere; nothing happens while the store is away."""
        self._sums.forget(self._wall())
        with suppress(StoreAway):
            while await self._page(ledger):
                pass

    async def _page(self, ledger: Ledger) -> bool:
        """Whether there is more to be told or learned."""
        changes, first = changes_of(ledger, MOST_AT_ONCE), Oldest.at(self._wall())
        money = {row.name: row.value for row in _accounts(ledger)}
        rows = [(row.name, row.value) for row in self._rows(ledger, changes)]
        rows += [(name, value) for name, value in money.items() if self._money.get(name) != value]
        urgent, self._urgent = self._urgent, False
        channel = self._store.key(CHANNEL) if urgent else ""
        known = (secrets.token_hex(8), self._epoch, self._version, MOST_AT_ONCE, channel, ledger.owner)
        counting = (first.hour, first.day, first.date, first.month)
        keys = [*(self._store.key(CHANNEL, name) for name in ("rows", "order")), self._store.key("server")]
        told = [each for row in rows for each in row]
        try:
            answer = await self._store.run(SPEND, keys, [*known, *counting, *told])
        except BaseException:  # also cancelled: it may have arrived, and is told again
            for span, index, key in changes:
                ledger.usage[span].changed.add((index, key))
            self._urgent |= urgent
            raise
        self._money = money
        return self._learn(ledger, answer) or len(changes) == MOST_AT_ONCE

    def _learn(self, ledger: Ledger, answer: Any) -> bool:
        """Whether there is more to come."""
        epoch, version, told, more = answer
        if epoch.decode() != self._epoch:  # the first time, or a store that was emptied
            self._epoch = epoch.decode()
            self._money.clear()
            self._sums.clear()
            for usage in ledger.usage.values():
                usage.tell_all()
            more = True
        self._version = version.decode()
        for name, value in zip(told[::2], told[1::2], strict=True):
            row = row_of(name.decode(errors="replace"), value.decode(errors="replace"))
            if row is not None and row.owner != ledger.owner:
                self._sums.take(row)
        return bool(more)

    def _rows(self, ledger: Ledger, changes: list[Change]) -> Iterator[Row]:
        for span, index, key in changes:
            used = ledger.usage[span].steps[index][key]
            yield Row((span, str(index)), ledger.owner, self._hidden(key), amounts_of(used))

    def _hidden(self, key: str) -> str:
        """The store is shared with others, and keeps nobody's number."""
        if key == ALL:
            return key
        return hmac.digest(self._secret, key.encode(errors="replace"), "sha256").hex()[:16]


def _accounts(ledger: Ledger) -> Iterator[Row]:
    for account in ledger.accounts.values():
        if account.name:
            yield Row((MONEY, account.name), ledger.owner, "", (account.spent,))
