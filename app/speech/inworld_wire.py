"""What Inworld says: the lines of its stream, and its errors in our own terms.

A line is `{"result": {"audioContent": base64, "timestampInfo": ...}}` or `{"error": {"code", "message"}}`,
also in the midst of an answer of status 200; the codes are gRPC's. A refused request has the same object,
wrapped or bare. What is known of them beyond the documents is from captures of September 2026 that others
published; the texts of limits and of an unknown voice are not among them.

Source: https://docs.inworld.ai/api-reference/ttsAPI/texttospeech/synthesize-speech-stream
Source: https://docs.inworld.ai/tts/capabilities/timestamps
Source: https://docs.inworld.ai/resources/concurrency-limits
"""

import base64
import binascii
import re

import msgspec

from app.audio.wav import WavFormat, WavHead
from app.errors import Failure, ProviderError
from app.speech.vendor_error import KEY_MASK, by_status, vendor_error

NAME = "inworld"

CODES = {
    1: Failure.NETWORK,  # cancelled, and not by us
    2: Failure.BUSY,
    3: Failure.BAD_REQUEST,
    4: Failure.TIMEOUT,
    5: Failure.BAD_REQUEST,
    6: Failure.BAD_REQUEST,
    7: Failure.AUTH,  # also, by one report, what a good key gets for too many streams at once
    8: Failure.OVER_LIMIT,
    9: Failure.BAD_REQUEST,
    10: Failure.BUSY,
    11: Failure.BAD_REQUEST,
    12: Failure.BAD_REQUEST,
    13: Failure.BUSY,
    14: Failure.BUSY,
    15: Failure.BUSY,
    16: Failure.AUTH,
}
# Words that say more than the code or status they come with; the first that is met counts.
PHRASES = (
    ("quota", Failure.QUOTA),
    ("credit", Failure.QUOTA),
    ("billing", Failure.QUOTA),
    ("payment", Failure.QUOTA),
    ("concurren", Failure.OVER_LIMIT),
    ("rate limit", Failure.BUSY),
    ("per second", Failure.BUSY),
)
LIMITS = (7, 8, 9)  # codes that a phrase may explain
QUOTED_KEY = re.compile(r'((?:API )?key[^"]{0,40})"[^"]*"', re.IGNORECASE)


class Phonetic(msgspec.Struct, rename="camel"):
    """More on one word; its phonemes are of no use here."""

    word_index: int = -1
    is_partial: bool = False  # told again, with what comes next


class Words(msgspec.Struct, rename="camel"):
    """Tokens of the text in its order, blanks and marks among them, in seconds from its first sample."""

    words: list[str] = []
    word_start_time_seconds: list[float] = []
    word_end_time_seconds: list[float] = []
    phonetic_details: list[Phonetic] | None = None


class Timestamps(msgspec.Struct, rename="camel"):
    """What comes when `timestampType` was asked for."""

    word_alignment: Words | None = None


class Status(msgspec.Struct):
    """gRPC's: a code and a sentence."""

    code: int = 0
    message: str = ""


class Result(msgspec.Struct, rename="camel"):
    """A piece of speech; each part of it may be missing."""

    audio_content: bytes | None = None
    timestamp_info: Timestamps | None = None
    status: Status | None = None


class Line(msgspec.Struct):
    """A line of the stream, or the body of a refusal; what is not named here is ignored."""

    result: Result | None = None
    error: Status | None = None
    code: int = 0
    message: str = ""

    @property
    def fault(self) -> Status | None:
        """What went wrong, wherever the vendor put it."""
        for status in (self.error, self.result.status if self.result else None):
            if status is not None and (status.code or status is self.error):
                return status
        return Status(self.code, self.message) if self.code else None


decode_line = msgspec.json.Decoder(Line).decode


def samples_of(audio: bytes, encoding: str, rate: int) -> bytes:
    """A piece's samples without the WAV header that every piece of LINEAR16 has, and none should be heard.

    Raises:
        ValueError: the header tells of other samples than `encoding` at `rate`.
    """
    if not audio.startswith(b"RIFF"):
        return audio
    head = WavHead()
    samples = head.feed(audio)
    if samples and head.format != WavFormat(encoding, rate, 1):
        raise ValueError(f"a WAV header of {head.format}")
    return samples


def secrets_of(api_key: str) -> list[str]:
    """The key as it is sent, and the pair inside its base64: the vendor was seen to echo either."""
    bare = api_key.rpartition(" ")[2]
    try:
        pair = base64.b64decode(bare, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    return [bare, *pair.split(":")]


def refusal(status: int, body: bytes, secrets: list[str], retry_after_s: float) -> ProviderError:
    """An HTTP answer that is not a success."""
    try:
        fault = decode_line(body).fault
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        fault = None
    code, message = (fault.code, fault.message) if fault else (0, body.decode(errors="replace"))
    kind = _kind(code, message) or by_status(status)
    if status in (402, 429) and kind in (Failure.AUTH, Failure.BAD_REQUEST):
        kind = by_status(status)
    return _error(kind, f"HTTP {status}: {message}", secrets, retry_after_s)


def fault_error(fault: Status, secrets: list[str]) -> ProviderError:
    """An error line."""
    return _error(
        _kind(fault.code, fault.message) or Failure.BUSY, f"code {fault.code}: {fault.message}", secrets
    )


def _kind(code: int, message: str) -> Failure | None:
    lower = message.lower()
    told = next((kind for phrase, kind in PHRASES if phrase in lower), None)
    return told if told and (code in LIMITS or not code) else CODES.get(code)


def _error(kind: Failure, message: str, secrets: list[str], retry_after_s: float = 0.0) -> ProviderError:
    message = QUOTED_KEY.sub(rf'\1"{KEY_MASK}"', message)
    return vendor_error(NAME, kind, message, secrets=secrets, retry_after_s=retry_after_s)
