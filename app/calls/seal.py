"""A stream token that any replica can check by itself, when the store that knows of all tokens is away."""

import base64
import hashlib
import hmac
import secrets

from app.calls.tokens import TOKEN_BYTES

TOLERANCE_S = 60.0  # seconds by which the clocks of two servers may differ


class Seal:
    """Signs tokens with a secret that all replicas have. Without one, tokens are random and prove nothing."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"hotline stream token\0" + secret).digest() if secret else b""

    def token(self, call_sid: str, until: float) -> str:
        """A token for the call, usable until then (seconds since 1970)."""
        if not self._key:
            return secrets.token_urlsafe(TOKEN_BYTES)
        body = f"{secrets.token_urlsafe(TOKEN_BYTES)}.{round(until)}"
        return f"{body}.{self._signature(body, call_sid)}"

    def proves(self, token: str, call_sid: str, now: float) -> bool:
        """Whether one of us made the token for this call (or for no call in particular), and not long ago."""
        body, _, signature = token.rpartition(".")
        until = body.rpartition(".")[2]
        if not (self._key and until.isdecimal() and until.isascii() and token.isascii()):
            return False
        signed = any(hmac.compare_digest(signature, self._signature(body, whose)) for whose in (call_sid, ""))
        return signed and now <= int(until) + TOLERANCE_S

    def _signature(self, body: str, call_sid: str) -> str:
        made = hmac.digest(self._key, f"{body}.{call_sid}".encode(), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
