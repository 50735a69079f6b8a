"""The fleet's kill switch: one word in the store, `closed` or `open`, which every replica follows."""

from app.capacity.store import Store, StoreAway

CLOSED, OPEN = b"closed", b"open"


class SharedSwitch:
    """What the store said last. Only a word moves it: a store that is away or was emptied does not."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.key("closed")
        self.is_closed = False

    async def look(self) -> None:
        """Follow the store's word, or give an emptied store ours."""
        try:
            word = await self._store.ask("GET", self._key)
            if word in (CLOSED, OPEN):
                self.is_closed = word == CLOSED
            elif self.is_closed:
                await self._store.ask("SET", self._key, CLOSED, "NX")
        except StoreAway:
            pass

    async def turn(self, *, closed: bool) -> None:
        """Move it for every replica.

        Raises:
            StoreAway: it may not have been moved.
        """
        await self._store.ask("SET", self._key, CLOSED if closed else OPEN)
        self.is_closed = closed
