"""ElevenLabs' realtime scribe: mu-law as the telephone gives it, segments that we commit ourselves.

Source: https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime
"""

import base64
import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec

from app.audio.frame import FRAME_BYTES, SAMPLE_RATE, SILENCE
from app.errors import Failure
from app.hearing.cloud import USUAL, CloudHearing, Patience, Vendor
from app.hearing.dialect import Fact, Heard, Message, Started
from app.hearing.fault import Fault, fields_of, of_close, of_status, text_of

NAME = "elevenlabs"
BASE_URL = "https://api.elevenlabs.io"
MODEL_ID = "scribe_v2_realtime"

MOST_KEYTERMS, LONGEST_KEYTERM = 50, 20  # phrases, characters
LEAST_BYTES = int(0.32 * SAMPLE_RATE)  # a commit with less than 0.3 s of new audio ends the session
AUTO_COMMIT_BYTES = 20 * SAMPLE_RATE  # the vendor commits by itself after 36 s, or 90; nobody is sure
MARGIN_BYTES = SAMPLE_RATE  # what a commit of its own may not have covered of what we have sent

# `message_type` of an error frame; some have been met with `_error` at the end.
WORDS = {
    "auth": Failure.AUTH,
    "unaccepted_terms": Failure.AUTH,
    "quota_exceeded": Failure.QUOTA,
    "rate_limited": Failure.BUSY,
    "queue_overflow": Failure.BUSY,
    "resource_exhausted": Failure.OVER_LIMIT,
    "session_time_limit_exceeded": Failure.CLOSED,
    "insufficient_audio_activity": Failure.CLOSED,
    "commit_throttled": Failure.CLOSED,
    "transcriber": Failure.NETWORK,
    "input": Failure.BAD_REQUEST,
    "invalid_request": Failure.BAD_REQUEST,
    "chunk_size_exceeded": Failure.BAD_REQUEST,
}
# Words in the body of a refused handshake, which has the shapes of all their interfaces.
STATUS_WORDS = {
    "quota_exceeded": Failure.QUOTA,
    "insufficient_credits": Failure.QUOTA,
    "concurrent_limit_exceeded": Failure.OVER_LIMIT,
    "too_many_concurrent_requests": Failure.OVER_LIMIT,
    "system_busy": Failure.BUSY,
    "rate_limit_exceeded": Failure.BUSY,
}


class _Incoming(msgspec.Struct):
    """Everything the vendor sends; what is not named here is ignored."""

    message_type: str = ""
    text: str | None = None
    error: object = None


_decode = msgspec.json.Decoder(_Incoming).decode


class ElevenLabsHearing(CloudHearing):
    """Hears by ElevenLabs; `keyterms` hands it the phrases that are likely, which costs extra."""

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str = BASE_URL,
        model_id: str = MODEL_ID,
        language: str = "en",
        keyterms: bool = False,
        patience: Patience = USUAL,
    ) -> None:
        def url(phrases: Sequence[str]) -> str:
            return session_url(base_url, model_id, language, phrases if keyterms else ())

        headers = {"xi-api-key": api_key}
        super().__init__(Vendor(NAME, url, headers, api_key, ElevenLabsDialect), patience)


def session_url(base_url: str, model_id: str, language: str, phrases: Sequence[str]) -> str:
    """Where a session is; a language that is not said is detected, in short words often wrongly."""
    terms = [phrase for phrase in phrases if len(phrase) <= LONGEST_KEYTERM][:MOST_KEYTERMS]
    query = [("model_id", model_id), ("audio_format", "ulaw_8000"), ("commit_strategy", "manual")]
    query += [("language_code", language)] * bool(language) + [("keyterms", term) for term in terms]
    return f"{base_url.rstrip('/').replace('http', 'ws', 1)}/v1/speech-to-text/realtime?{urlencode(query)}"


class ElevenLabsDialect:
    """JSON both ways; a final text has no sign of which audio it covers, so that must be counted here."""

    greets = True
    most_unanswered = 1  # a last word that came late would be taken for the next utterance's

    def __init__(self) -> None:
        self._asked = False
        self._sent_bytes = 0  # of this utterance
        self._fresh_bytes = 0  # of it, since the last final text
        self._last: str | None = None  # final text

    def begin(self) -> None:
        self._asked = False
        self._sent_bytes = self._fresh_bytes = 0

    def audio(self, mulaw: bytes) -> Message:
        self._sent_bytes += len(mulaw)
        self._fresh_bytes += len(mulaw)
        return _chunk(mulaw)

    def end(self) -> list[Message]:
        self._asked = True
        missing = LEAST_BYTES - self._fresh_bytes
        padding = [self.audio(SILENCE * missing)] if missing > 0 else []
        return [*padding, _chunk(b"", commit=True)]

    def keep_alive(self) -> Message:
        """Silence, which the vendor counts as audio and we do not: a commit must not rest on it."""
        return _chunk(SILENCE * FRAME_BYTES)

    def farewell(self) -> list[Message]:
        return []

    def receive(self, message: Message) -> Fact | None:
        try:
            met = _decode(message)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return Fault(Failure.GARBAGE, "a message that cannot be read")
        if isinstance(met.error, str):
            return Fault(_kind(met.message_type), f"{met.message_type}: {met.error}")
        match met.message_type:
            case "session_started":
                return Started()
            case "partial_transcript" if self._fresh_bytes >= LEAST_BYTES:
                return Heard(met.text or "", final=False)
            case "committed_transcript":
                return self._committed(met.text or "")
            case _:
                # Late partials; and the twin with timestamps, which may come before or after the plain one.
                return None

    def refused(self, status: int, _headers: Mapping[str, str], body: bytes) -> Fault:
        fields = fields_of(body)
        detail = fields.get("detail", fields)
        if not isinstance(detail, dict):
            detail = {"message": detail}
        words = (detail.get("code"), detail.get("status"))
        kind = next(
            (STATUS_WORDS[word] for word in words if isinstance(word, str) and word in STATUS_WORDS), None
        )
        return of_status(status, text_of(detail.get("message")), kind)

    def closed(self, code: int, reason: str) -> Fault:
        return of_close(code, reason, _kind(reason) if reason in WORDS else None)

    def _committed(self, text: str) -> Heard | None:
        repeated = text == self._last
        fresh_bytes, self._fresh_bytes = self._fresh_bytes, 0
        if self._asked:
            self._asked = False
            self._last = text
            return Heard(text, final=True, taken_bytes=self._sent_bytes, whole=True)
        if not fresh_bytes or (repeated and fresh_bytes < AUTO_COMMIT_BYTES):
            self._fresh_bytes = fresh_bytes
            return None
        self._last = text
        return Heard(text, final=True, taken_bytes=max(0, self._sent_bytes - MARGIN_BYTES))


def _chunk(mulaw: bytes, *, commit: bool = False) -> str:
    return json.dumps(
        {
            "message_type": "input_audio_chunk",
            "audio_base_64": base64.b64encode(mulaw).decode(),
            "commit": commit,
            "sample_rate": SAMPLE_RATE,
        }
    )


def _kind(word: str) -> Failure:
    """An error we do not know may pass; one that does not, spends the attempts to connect again."""
    return WORDS.get(word.removesuffix("_error"), Failure.BUSY)
