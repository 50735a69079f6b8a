"""What ElevenLabs means by an error: its words, close codes and HTTP statuses, in our own terms.

Source: https://elevenlabs.io/docs/eleven-api/resources/errors
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from app.errors import Failure, ProviderError

NAME = "elevenlabs"
LONGEST_MESSAGE = 300  # characters of a vendor's text that are kept
LONGEST_RETRY_AFTER_S = 3600.0  # a vendor who asks for more means another thing
KEY_MASK = "[key]"
KEY_PREFIX = 8  # characters that give a key away: a close reason may cut it off anywhere

# `error` of a socket's frame, `code` and `status` of an HTTP body: one vocabulary, grown over the years.
WORDS = {
    "invalid_api_key": Failure.AUTH,
    "authentication_required": Failure.AUTH,
    "unauthorized": Failure.AUTH,
    "needs_authorization": Failure.AUTH,
    "invalid_authorization_header": Failure.AUTH,
    "missing_permissions": Failure.AUTH,
    "subscription_required": Failure.AUTH,
    "output_format_not_allowed": Failure.AUTH,
    "voice_id_does_not_exist": Failure.BAD_REQUEST,
    "voice_not_found": Failure.BAD_REQUEST,
    "model_not_found": Failure.BAD_REQUEST,
    "unsupported_model": Failure.BAD_REQUEST,
    "invalid_output_format": Failure.BAD_REQUEST,
    "invalid_parameters": Failure.BAD_REQUEST,
    "invalid_voice_settings": Failure.BAD_REQUEST,
    "input_text_empty": Failure.BAD_REQUEST,
    "text_too_long": Failure.BAD_REQUEST,
    "max_character_limit_exceeded": Failure.BAD_REQUEST,
    "quota_exceeded": Failure.QUOTA,
    "insufficient_credits": Failure.QUOTA,
    "payment_required": Failure.QUOTA,
    "concurrent_limit_exceeded": Failure.OVER_LIMIT,
    "too_many_concurrent_requests": Failure.OVER_LIMIT,
    "max_active_conversations": Failure.OVER_LIMIT,
    "rate_limit_exceeded": Failure.BUSY,
    "system_busy": Failure.BUSY,
    "service_unavailable": Failure.BUSY,
    "internal_error": Failure.BUSY,
    "internal_server_error": Failure.BUSY,
    "conflict": Failure.BUSY,
    "input_timeout_exceeded": Failure.CLOSED,
}
# `type` of an HTTP body, where `code` and `status` are missing or new.
TYPES = {
    "authentication_error": Failure.AUTH,
    "authorization_error": Failure.AUTH,
    "payment_required": Failure.QUOTA,
    "validation_error": Failure.BAD_REQUEST,
    "not_found": Failure.BAD_REQUEST,
    "rate_limit_error": Failure.BUSY,
    "internal_error": Failure.BUSY,
    "service_unavailable": Failure.BUSY,
}
# Words of a message or close reason that came without any of the above; the first that is met counts.
PHRASES = (
    ("quota", Failure.QUOTA),
    ("credits", Failure.QUOTA),
    ("api key", Failure.AUTH),
    ("authentication methods", Failure.AUTH),
    ("concurren", Failure.OVER_LIMIT),
    ("simultaneous", Failure.OVER_LIMIT),
    ("busy", Failure.BUSY),
    ("not received a new text input", Failure.CLOSED),
    ("voice_id", Failure.BAD_REQUEST),
    ("model", Failure.BAD_REQUEST),
)
STATUSES = {
    400: Failure.BAD_REQUEST,
    401: Failure.AUTH,
    402: Failure.QUOTA,
    403: Failure.AUTH,
    404: Failure.BAD_REQUEST,
    408: Failure.TIMEOUT,
    409: Failure.BUSY,
    422: Failure.BAD_REQUEST,
    429: Failure.BUSY,
    504: Failure.TIMEOUT,
}
# 1008 says no more than that the vendor refuses; what it refuses stood in the frame before.
CLOSE_CODES = {
    1000: Failure.CLOSED,
    1001: Failure.CLOSED,
    1008: Failure.BAD_REQUEST,
    1009: Failure.GARBAGE,
    1012: Failure.BUSY,
    1013: Failure.BUSY,
}


class Fault(NamedTuple):
    """An error of the vendor's, understood."""

    kind: Failure
    message: str


def of_frame(error: object, message: object) -> Fault:
    """An error frame of a socket."""
    text = _text(message) or _text(error)
    return Fault(_by_word(error) or _by_phrase(text) or Failure.BAD_REQUEST, text)


def of_close(code: int, reason: str) -> Fault:
    """A socket that was closed without a final message, or an error frame before."""
    kind = _by_phrase(reason) or CLOSE_CODES.get(code, Failure.NETWORK)
    return Fault(kind, f"closed with {code}" + (f": {_text(reason)}" if reason else ""))


def of_http(status: int, body: object) -> Fault:
    """An HTTP answer that is not a success, or a document where audio was due (status 200)."""
    detail = _detail(body)
    text = _text(detail.get("message"))
    kind = (
        _by_word(detail.get("code"), detail.get("status"))
        or TYPES.get(_text(detail.get("type")))
        or _by_phrase(text)
        or STATUSES.get(status)
        or (Failure.BUSY if status >= 500 else Failure.BAD_REQUEST if status >= 400 else Failure.GARBAGE)
    )
    return Fault(kind, f"HTTP {status}" + (f": {text}" if text else ""))


def retry_after_s(headers: Mapping[str, str]) -> float:
    """How long the vendor wants to be left alone; 0 when it does not say so in seconds."""
    try:
        seconds = float(headers.get("retry-after", 0))
    except ValueError:  # a date
        return 0.0
    return seconds if 0 <= seconds <= LONGEST_RETRY_AFTER_S else 0.0


def as_error(fault: Fault, api_key: str, retry_after_s: float = 0.0) -> ProviderError:
    """The fault as ours to raise, cut short, and without our key, which the vendor may echo in part."""
    message = fault.message
    if api_key:
        message = re.sub(re.escape(api_key[:KEY_PREFIX]) + r"\w*", KEY_MASK, message)
    return ProviderError(NAME, fault.kind, message[:LONGEST_MESSAGE], retry_after_s=retry_after_s)


def _by_word(*words: object) -> Failure | None:
    return next((WORDS[word] for word in words if isinstance(word, str) and word in WORDS), None)


def _by_phrase(text: str) -> Failure | None:
    lower = text.lower()
    return next((kind for phrase, kind in PHRASES if phrase in lower), None)


def _detail(body: object) -> dict[str, object]:
    """The part of a body that speaks, whichever of the vendor's five shapes it has."""
    if isinstance(body, bytes):
        body = body.decode(errors="replace")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return {"message": body}
    if isinstance(body, dict):
        body = body.get("detail", body)
    if isinstance(body, list) and body and isinstance(body[0], dict):  # one entry for each field refused
        return {"message": f"{_text(body[0].get('loc'))}: {_text(body[0].get('msg'))}"}
    return body if isinstance(body, dict) else {"message": body}


def _text(value: object) -> str:
    if value is None:
        return ""
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except RecursionError:  # what could just be read may be nested too deeply to be written
        return type(value).__name__
    return " ".join(text.split())
