"""What HTTP statuses and close codes of the vendors who hear mean, in our own terms."""

import json
from typing import NamedTuple

from app.errors import Failure

STATUSES = {
    400: Failure.BAD_REQUEST,
    401: Failure.AUTH,
    402: Failure.QUOTA,
    403: Failure.AUTH,
    404: Failure.BAD_REQUEST,
    408: Failure.TIMEOUT,
    422: Failure.BAD_REQUEST,
    429: Failure.OVER_LIMIT,
    504: Failure.TIMEOUT,
}
CLOSE_CODES = {
    1000: Failure.CLOSED,
    1001: Failure.CLOSED,
    1003: Failure.BAD_REQUEST,
    1008: Failure.BAD_REQUEST,
    1009: Failure.BAD_REQUEST,
    1012: Failure.BUSY,
    1013: Failure.BUSY,
}


class Fault(NamedTuple):
    """An error of a vendor's, understood."""

    kind: Failure
    message: str


def of_status(status: int, message: str = "", kind: Failure | None = None) -> Fault:
    """A refused handshake; `kind` is what its body tells better than the status does."""
    kind = kind or STATUSES.get(status) or (Failure.BUSY if status >= 500 else Failure.BAD_REQUEST)
    return Fault(kind, f"HTTP {status}" + (f": {message}" if message else ""))


def of_close(code: int, reason: str, kind: Failure | None = None) -> Fault:
    """A connection that the vendor closed; `kind` is what the reason tells better than the code does."""
    kind = kind or CLOSE_CODES.get(code, Failure.NETWORK)
    return Fault(kind, f"closed with {code}" + (f": {reason}" if reason else ""))


def fields_of(body: bytes) -> dict[str, object]:
    """The body of a refusal; a text that is no JSON object stands under `message`."""
    text = body.decode(errors="replace")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = text
    return fields if isinstance(fields, dict) else {"message": text_of(fields)}


def text_of(value: object) -> str:
    """A field of a vendor's that ought to be a text, whatever it is."""
    try:
        return str(value or "")
    except RecursionError:  # what could just be read may be nested too deeply to be written
        return type(value).__name__
