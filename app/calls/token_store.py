"""Stream tokens that all replicas know: issued by one's webhook, consumed once by another's socket.

While the store is away a token is honoured by the replica that issued it, and by every other one that has the
same secret; it is then used once on each of them, and not known to be used on the rest.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Self

from app import clock
from app.calls.seal import Seal
from app.calls.tokens import LIFE_S, LocalTokens, Refusal, TokenRefused, digest
from app.capacity.scripts import Script
from app.capacity.store import Argument, Store, StoreAway

KEPT_MS = 3_600_000  # a used token is known as used; a captured webhook that is played again gets nothing new
LUA = Path(__file__).parent / "lua"
ISSUE, CONSUME, SPEND = (Script.read(LUA / f"token_{name}.lua") for name in ("issue", "consume", "spend"))


class SharedTokens:
    """The tokens of a fleet; entered once for the life of the process, after the store.

    Args:
        store: where they are.
        taken_elsewhere: called with the CallSid when another replica has the call's socket: the slot that was
            kept for it here is free.
        secret: the same on all replicas, such as Twilio's auth token.
        life_s: seconds a token can be used.
    """

    def __init__(
        self,
        store: Store,
        taken_elsewhere: Callable[[str], None] = lambda _: None,
        *,
        secret: bytes = b"",
        life_s: float = LIFE_S,
    ) -> None:
        self._store = store
        self._taken_elsewhere = taken_elsewhere
        self._life_s = life_s
        self._seal = Seal(secret)
        self._own = LocalTokens(life_s)
        self._name = secrets.token_hex(8)
        self._channel = store.key("tokens", "taken")

    async def __aenter__(self) -> Self:
        self._store.listen(self._channel, self._hear)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._store.unlisten(self._channel)

    async def issue(self, call_sid: str, *, again: bool = False) -> str:
        """As `Tokens.issue`."""
        fresh = self._seal.token(call_sid, clock.wall().timestamp() + self._life_s)
        keys = [self._of_call(call_sid), self._token(digest(fresh))]
        args: list[Argument] = [
            self._token(""),
            fresh,
            digest(fresh),
            call_sid,
            int(1000 * self._life_s),
            KEPT_MS,
            int(again),
        ]
        try:
            token = (await self._store.run(ISSUE, keys, args)).decode()
        except StoreAway:
            return await self._own.issue(call_sid, again=again, fresh=fresh)
        return self._own.note(call_sid, token)

    async def consume(self, token: str, call_sid: str) -> None:
        """As `Tokens.consume`."""
        if not token:
            raise TokenRefused(Refusal.MISSING)
        try:
            refusal = await self._consume(token, call_sid)
        except StoreAway:
            refusal = Refusal.UNKNOWN
        if refusal is Refusal.UNKNOWN:  # the store may have been away when it was issued, or is now
            await self._honour(token, call_sid)
        elif refusal is not None:
            raise TokenRefused(refusal)
        else:
            self._own.note(call_sid, token)
            self._own.mark_used(call_sid)

    async def spend(self, call_sid: str) -> None:
        """As `Tokens.spend`."""
        self._own.mark_used(call_sid)
        try:
            await self._store.run(SPEND, [self._of_call(call_sid)], [self._token("")])
        except StoreAway:
            return

    async def _consume(self, token: str, call_sid: str) -> Refusal | None:
        known = digest(token)
        keys = [self._token(known), self._of_call(call_sid)]
        args: list[Argument] = [call_sid, known, KEPT_MS, self._channel, f"{self._name} {call_sid}"]
        refusal = (await self._store.run(CONSUME, keys, args)).decode()
        return Refusal(refusal) if refusal else None

    async def _honour(self, token: str, call_sid: str) -> None:
        """Without the store: what was issued here, or bears our seal."""
        if not self._own.knows(token) and self._seal.proves(token, call_sid, clock.wall().timestamp()):
            self._own.note(call_sid, token)
        await self._own.consume(token, call_sid)

    def _hear(self, word: str) -> None:
        name, _, call_sid = word.partition(" ")
        if name != self._name:
            self._own.mark_used(call_sid)
            self._taken_elsewhere(call_sid)

    def _token(self, known: str) -> str:
        return self._store.key("token", known)

    def _of_call(self, call_sid: str) -> str:
        return self._store.key("token-of", call_sid)
