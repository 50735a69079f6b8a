"""A vendor's refusal as ours: what HTTP statuses mean everywhere, and its words without our key in them."""

import re
from collections.abc import Iterable

from app.errors import Failure, ProviderError

LONGEST_MESSAGE = 300  # characters of a vendor's text that are kept
KEY_MASK = "[key]"
KEY_PREFIX = 4  # characters by which vendors tell a key: "Invalid credentials for API key \"abcd***\""
SHORTEST_SECRET = 8  # what is shorter is no key, and masking it would eat words

STATUSES = {
    401: Failure.AUTH,
    402: Failure.QUOTA,
    403: Failure.AUTH,
    408: Failure.TIMEOUT,
    429: Failure.OVER_LIMIT,
    504: Failure.TIMEOUT,
}


def by_status(status: int) -> Failure:
    """What an HTTP status alone says; of a success that was none, that it is garbage."""
    if status in STATUSES:
        return STATUSES[status]
    if status >= 500:
        return Failure.BUSY
    return Failure.BAD_REQUEST if status >= 400 else Failure.GARBAGE


def vendor_error(
    provider: str, kind: Failure, message: str, *, secrets: Iterable[str], retry_after_s: float = 0.0
) -> ProviderError:
    """The error to raise: its message on one line, cut short, with every trace of `secrets` masked."""
    text = masked(" ".join(message.split()), secrets)
    return ProviderError(provider, kind, text[:LONGEST_MESSAGE], retry_after_s=retry_after_s)


def masked(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, also where only their beginnings stand."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(secret[:KEY_PREFIX])}[\w+/=.*-]*", KEY_MASK, text)
    return text


def retry_after_s(value: str | None) -> float:
    """A `Retry-After` header in seconds; 0 when there is none, or a date, which no speech vendor sends."""
    return float(value) if value and re.fullmatch(r"\d{1,5}", value.strip()) else 0.0
