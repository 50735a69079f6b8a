"""What Cartesia says and is told: the messages of its WebSocket, and its errors in our own terms.

Errors have a machine-readable `error_code` since version 2026-03-01, which may be null; older versions put a
sentence into `error`. The list of codes is not published: these are the ones that documents and clients show.

Source: https://docs.cartesia.ai/api-reference/tts/websocket
Source: https://docs.cartesia.ai/use-the-api/tts-websocket/contexts
Source: https://docs.cartesia.ai/use-the-api/api-errors
"""

from urllib.parse import quote

import msgspec

from app.errors import Failure, ProviderError
from app.speech.vendor_error import by_status, vendor_error

NAME = "cartesia"
VERSION = "2026-03-01"
KEY_SHAPE = "sk_car_..."  # how every key begins: masked even where it is not ours

ENCODINGS = {"ulaw": "pcm_mulaw", "pcm": "pcm_s16le"}
WORDS = {
    "concurrency_limited": Failure.OVER_LIMIT,
    "quota_exceeded": Failure.QUOTA,
    "insufficient_credits": Failure.QUOTA,
    "payment_required": Failure.QUOTA,
    "unauthorized": Failure.AUTH,
    "forbidden": Failure.AUTH,
    "plan_upgrade_required": Failure.AUTH,
    "voice_not_found": Failure.BAD_REQUEST,
    "model_not_found": Failure.BAD_REQUEST,
    "language_not_supported": Failure.BAD_REQUEST,
    "rate_limited": Failure.BUSY,
}
# 1008 and 1011 are the vendor's way out; a normal close is the end of an idle socket.
CLOSE_CODES = {
    1000: Failure.CLOSED,
    1001: Failure.CLOSED,
    1008: Failure.BAD_REQUEST,
    1009: Failure.GARBAGE,
    1011: Failure.BUSY,
    1012: Failure.BUSY,
    1013: Failure.BUSY,
}


class WordTimestamps(msgspec.Struct):
    """Words and their times in seconds from the first sample of the context."""

    words: list[str] = []
    start: list[float] = []
    end: list[float] = []


class Message(msgspec.Struct):
    """Everything the vendor sends; what is not named here is ignored."""

    type: str = ""
    context_id: str | None = None
    data: bytes | None = None
    word_timestamps: WordTimestamps | None = None
    status_code: int = 0
    error_code: str | None = None
    title: str = ""
    message: str = ""
    error: str = ""  # of the versions before 2026-03-01


decode_message = msgspec.json.Decoder(Message).decode


def socket_url(base_url: str) -> str:
    return f"{base_url.rstrip('/').replace('http', 'ws', 1)}/tts/websocket?cartesia_version={quote(VERSION)}"


def request(
    voice_id: str, model_id: str, language: str, audio_format: str, *, aligned: bool
) -> dict[str, object]:
    """What every sentence's message has in common; a sentence comes whole, so that nothing is waited for."""
    encoding, _, rate = audio_format.partition("_")
    return {
        "model_id": model_id,
        "voice": {"mode": "id", "id": voice_id},
        "language": language,
        "output_format": {"container": "raw", "encoding": ENCODINGS[encoding], "sample_rate": int(rate)},
        "add_timestamps": aligned,
        "use_normalized_timestamps": False,  # words as the text has them, not as they are read out
        "continue": False,
        "max_buffer_delay_ms": 0,
    }


def of_message(message: Message, secrets: list[str]) -> ProviderError:
    """An error of one context, or of the whole socket."""
    kind = WORDS.get(message.error_code or "") or by_status(message.status_code or 500)
    text = ": ".join(part for part in (message.title, message.message, message.error) if part)
    return fault(kind, f"{message.status_code} {message.error_code or ''} {text}", secrets)


def of_handshake(status: int, body: bytes, secrets: list[str], retry_after_s: float) -> ProviderError:
    """A refused connection; too many of them are no generations, for which one could queue."""
    try:
        told = decode_message(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        told = Message(message=body.decode(errors="replace"))
    kind = WORDS.get(told.error_code or "") or (Failure.BUSY if status == 429 else by_status(status))
    text = f"HTTP {status}: {told.title} {told.message} {told.error}"
    return fault(kind, text, secrets, retry_after_s=retry_after_s)


def of_close(code: int, reason: str, secrets: list[str]) -> ProviderError:
    """A socket that was closed while a sentence was on its way."""
    kind = CLOSE_CODES.get(code, Failure.NETWORK)
    return fault(kind, f"closed with {code}" + (f": {reason}" if reason else ""), secrets)


def fault(kind: Failure, message: str, secrets: list[str], *, retry_after_s: float = 0.0) -> ProviderError:
    """Any error of this vendor's, without a key in it."""
    return vendor_error(NAME, kind, message, secrets=[*secrets, KEY_SHAPE], retry_after_s=retry_after_s)
