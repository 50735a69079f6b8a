"""What an OpenAI-compatible endpoint means by an error, in our own terms.

Source: https://platform.openai.com/docs/guides/error-codes; other servers send the same shapes more freely.
"""

import math
import re

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from app.conversation.llm_port import ModelFailed
from app.errors import Failure

NAME = "llm"
LONGEST_WORDS = 300  # characters of a vendor's text that are kept
KEY_MASK = "[key]"
KEY_PREFIX = 8  # characters that give a key away: vendors repeat them with stars behind

# `code` or `type` of a body; where it is none of these the status counts.
CODES = {
    "insufficient_quota": Failure.QUOTA,
    "billing_hard_limit_reached": Failure.QUOTA,
    "billing_not_active": Failure.QUOTA,
    "invalid_api_key": Failure.AUTH,
    "authentication_error": Failure.AUTH,
    "permission_error": Failure.AUTH,
    "model_not_found": Failure.BAD_REQUEST,
    "context_length_exceeded": Failure.BAD_REQUEST,
    "invalid_request_error": Failure.BAD_REQUEST,
    "content_filter": Failure.BAD_REQUEST,
    "rate_limit_exceeded": Failure.BUSY,
    "rate_limit_error": Failure.BUSY,
    "overloaded_error": Failure.BUSY,
    "server_error": Failure.BUSY,
    "timeout": Failure.TIMEOUT,
}
STATUSES = {
    401: Failure.AUTH,
    402: Failure.QUOTA,
    403: Failure.AUTH,
    408: Failure.TIMEOUT,
    409: Failure.BUSY,
    429: Failure.BUSY,
    504: Failure.TIMEOUT,
}


def as_failure(error: APIError, api_key: str) -> ModelFailed:
    """An error of the library's as ours to raise, without our key."""
    words = _masked(str(error.message), api_key)
    if isinstance(error, APITimeoutError):
        return ModelFailed(NAME, Failure.TIMEOUT, "no answer in time")
    if isinstance(error, APIConnectionError):
        cause = error.__cause__
        return ModelFailed(NAME, Failure.NETWORK, type(cause or error).__name__, words=words)
    if isinstance(error, APIStatusError):
        reason = " ".join(filter(None, (f"HTTP {error.status_code}", _word(error))))
        kind = _kind(error, error.status_code)
        return ModelFailed(NAME, kind, reason, words=words, retry_after_s=_retry_after(error))
    # An error in the midst of a stream that began with 200.
    code = str(error.code or "")
    status = int(code) if code.isascii() and code.isdecimal() and len(code) == 3 else 500
    return ModelFailed(
        NAME, _kind(error, status), f"error in the stream {_word(error)}".rstrip(), words=words
    )


def garbage(error: Exception) -> ModelFailed:
    """What came is no chat completion."""
    return ModelFailed(NAME, Failure.GARBAGE, f"no chat completion: {type(error).__name__}")


def _kind(error: APIError, status: int) -> Failure:
    known = CODES.get(str(error.code)) or STATUSES.get(status) or CODES.get(str(error.type))
    return known or (Failure.BUSY if status >= 500 else Failure.BAD_REQUEST)


def _word(error: APIError) -> str:
    """The vendor's code, if it is one and no prose: what is logged must not repeat what a caller said."""
    return next(
        (word for word in (error.code, error.type) if word and re.fullmatch(r"[\w.-]{1,40}", word)), ""
    )


def _retry_after(error: APIStatusError) -> float:
    """Seconds; 0 when the header is missing or a date, which only gateways send."""
    try:
        seconds = float(error.response.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _masked(words: str, api_key: str) -> str:
    if api_key:
        words = re.sub(re.escape(api_key[:KEY_PREFIX]) + r"[\w*.-]*", KEY_MASK, words)
    return " ".join(words.split())[:LONGEST_WORDS]
