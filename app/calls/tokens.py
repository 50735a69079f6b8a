"""Stream tokens: what ties a call's socket to its webhook, for a minute, and once."""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app import clock
from app.errors import RemoteProtocolError

LIFE_S = 60.0  # seconds; Twilio opens the stream within seconds of our TwiML
REMEMBERED = 10_000  # tokens; a repeated webhook comes within seconds, so this outlives every retry
TOKEN_BYTES = 24  # 192 random bits: cannot be guessed in the minute it lives


class Refusal(StrEnum):
    """Why a stream token was refused; for the log only, the other side is always told the same."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    OTHER_CALL = "other_call"


class TokenRefused(RemoteProtocolError):
    """A socket came without the right to be here."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"stream token {refusal.value.replace('_', ' ')}")
        self.refusal = refusal


class Tokens(Protocol):
    """The tokens of one process, or of a whole fleet."""

    async def issue(self, call_sid: str, *, again: bool = False) -> str:
        """The call's token: the same one when asked again, also when it was used or has expired, since a
        webhook may be played again by anybody who saw it; a new one for a call's second stream (`again`).

        Without a `call_sid` (debug TwiML asked for by hand) it serves whatever call uses it first.
        """

    async def consume(self, token: str, call_sid: str) -> None:
        """The call's socket is here: the token is used up.

        Raises:
            TokenRefused: it is not this call's, or not usable any more.
        """

    async def spend(self, call_sid: str) -> None:
        """The caller is gone: the call's token is of no use any more."""


@dataclass(slots=True)
class Token:
    """One, as it was issued here."""

    text: str
    call_sid: str
    usable_until: float  # seconds of the event loop
    used: bool = False


class LocalTokens:
    """The tokens of this process."""

    def __init__(self, life_s: float = LIFE_S) -> None:
        self._life_s = life_s
        self._tokens: OrderedDict[str, Token] = OrderedDict()  # by digest
        self._by_call: dict[str, Token] = {}

    async def issue(self, call_sid: str, *, again: bool = False, fresh: str = "") -> str:
        """As `Tokens.issue`; a new one is `fresh`, if given."""
        known = None if again else self._by_call.get(call_sid)
        if known is not None:
            return known.text
        return self.note(call_sid, fresh or secrets.token_urlsafe(TOKEN_BYTES))

    async def consume(self, token: str, call_sid: str) -> None:
        known = self._tokens.get(digest(token))
        refusal = self._refusal(token, known, call_sid)
        if known is None or refusal is not None:
            raise TokenRefused(refusal or Refusal.UNKNOWN)
        known.used = True
        known.call_sid = call_sid
        self._by_call[call_sid] = known

    async def spend(self, call_sid: str) -> None:
        self.mark_used(call_sid)

    def mark_used(self, call_sid: str) -> None:
        """The call's token, if it was issued here, was used somewhere; harmless when repeated."""
        if call_sid in self._by_call:
            self._by_call[call_sid].used = True

    def knows(self, token: str) -> bool:
        return digest(token) in self._tokens

    def note(self, call_sid: str, token: str) -> str:
        """Know this token as the call's own."""
        known = self._tokens.get(digest(token))
        if known is None:
            known = self._tokens[digest(token)] = Token(token, call_sid, clock.now() + self._life_s)
        if call_sid:
            self._by_call[call_sid] = known
        while len(self._tokens) > REMEMBERED:
            self._forget_oldest()
        return token

    def _forget_oldest(self) -> None:
        _, token = self._tokens.popitem(last=False)
        if self._by_call.get(token.call_sid) is token:
            del self._by_call[token.call_sid]

    def _refusal(self, token: str, known: Token | None, call_sid: str) -> Refusal | None:
        if not token:
            return Refusal.MISSING
        if known is None:
            return Refusal.UNKNOWN
        if known.used:
            return Refusal.USED
        if known.usable_until <= clock.now():
            return Refusal.EXPIRED
        if known.call_sid and known.call_sid != call_sid:
            return Refusal.OTHER_CALL
        return None


def digest(token: str) -> str:
    """Looked up by digest, so that the time a look-up takes says nothing about the token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
