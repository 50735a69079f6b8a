"""Deepgram's live recogniser: audio as binary messages, and results that tell which audio they cover.

Source: https://developers.deepgram.com/reference/speech-to-text/listen-streaming
"""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec

from app.audio.frame import SAMPLE_RATE
from app.errors import Failure
from app.hearing.cloud import USUAL, CloudHearing, Patience, Vendor
from app.hearing.dialect import Fact, Heard, Message
from app.hearing.fault import Fault, fields_of, of_close, of_status, text_of

NAME = "deepgram"
BASE_URL = "https://api.deepgram.com"
MODEL = "nova-3"

MOST_KEYTERMS = 50  # the vendor counts 500 tokens, and a phrase has a few
NEAR_BYTES = SAMPLE_RATE // 20  # results are cut in the vendor's own frames: so little is no word

KEEP_ALIVE = json.dumps({"type": "KeepAlive"})
FINALIZE = json.dumps({"type": "Finalize"})
CLOSE_STREAM = json.dumps({"type": "CloseStream"})

# Words in an `err_code`, a message, a header or the reason of a close; the first that is met counts.
PHRASES = (
    ("INVALID_AUTH", Failure.AUTH),
    ("PAYMENT_REQUIRED", Failure.QUOTA),
    ("TOO_MANY_REQUESTS", Failure.OVER_LIMIT),
    ("NET0001", Failure.CLOSED),
    ("NET0000", Failure.CLOSED),
    ("DATA000", Failure.BAD_REQUEST),
)


class _Incoming(msgspec.Struct):
    """What every message has."""

    type: str = ""
    err_code: str = ""
    variant: str = ""
    description: str = ""
    message: str = ""


class _Alternative(msgspec.Struct):
    transcript: str = ""
    confidence: float = 0.0


class _Channel(msgspec.Struct):
    alternatives: list[_Alternative] = []


class _Results(msgspec.Struct):
    start: float = 0.0  # seconds of audio on this connection, as is `duration`
    duration: float = 0.0
    is_final: bool = False
    from_finalize: bool = False
    channel: _Channel = msgspec.field(default_factory=_Channel)


_decode = msgspec.json.Decoder(_Incoming).decode
_decode_results = msgspec.json.Decoder(_Results).decode


class DeepgramHearing(CloudHearing):
    """Hears by Deepgram; `keyterms` hands it the phrases that are likely, which may cost extra."""

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str = BASE_URL,
        model: str = MODEL,
        language: str = "en",
        keyterms: bool = False,
        patience: Patience = USUAL,
    ) -> None:
        def url(phrases: Sequence[str]) -> str:
            return session_url(base_url, model, language, phrases if keyterms else ())

        headers = {"Authorization": f"Token {api_key}"}
        super().__init__(Vendor(NAME, url, headers, api_key, DeepgramDialect), patience)


def session_url(base_url: str, model: str, language: str, phrases: Sequence[str]) -> str:
    """Where a session is; its own endpointing is off, since we say when an utterance has ended."""
    query = [
        ("model", model),
        ("encoding", "mulaw"),
        ("sample_rate", str(SAMPLE_RATE)),
        ("channels", "1"),
        ("interim_results", "true"),
        ("punctuate", "true"),
        ("endpointing", "false"),
    ]
    query += [("language", language)] * bool(language)
    query += [("keyterm", phrase) for phrase in phrases[:MOST_KEYTERMS]]
    return f"{base_url.rstrip('/').replace('http', 'ws', 1)}/v1/listen?{urlencode(query)}"


class DeepgramDialect:
    """Positions count bytes of audio on this connection, which is how results tell what they are about."""

    greets = False
    most_unanswered = 3  # a `Finalize` with little audio behind it may go unanswered

    def __init__(self) -> None:
        self._asked = False
        self._sent = 0
        self._began = 0  # this utterance
        self._settled = 0  # up to here results are final

    def begin(self) -> None:
        self._asked = False
        self._began = self._settled = self._sent

    def audio(self, mulaw: bytes) -> Message:
        self._sent += len(mulaw)
        return mulaw

    def end(self) -> list[Message]:
        self._asked = True
        return [FINALIZE]

    def keep_alive(self) -> Message:
        return KEEP_ALIVE

    def farewell(self) -> list[Message]:
        return [CLOSE_STREAM]

    def receive(self, message: Message) -> Fact | None:
        try:
            met = _decode(message)
            if met.type == "Results":
                return self._results(_decode_results(message))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return Fault(Failure.GARBAGE, "a message that cannot be read")
        if met.type == "Error" or met.err_code:
            words = [met.err_code, met.variant, met.description, met.message]
            text = ": ".join(filter(None, words))
            return Fault(_kind(text) or Failure.BUSY, text)
        return None

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        fields = fields_of(body)
        code = text_of(fields.get("err_code") or _header(headers, "dg-error"))
        text = ": ".join(filter(None, [code, text_of(fields.get("err_msg") or fields.get("message"))]))
        return of_status(status, text, _kind(text))

    def closed(self, code: int, reason: str) -> Fault:
        return of_close(code, reason, _kind(reason))

    def _results(self, results: _Results) -> Heard | None:
        until_s = results.start + results.duration  # a vendor's: it may be infinite, or beyond all we sent
        until = round(min(max(until_s * SAMPLE_RATE, 0.0), self._sent))
        if until <= self._began:
            return None  # of an utterance before
        alternatives = results.channel.alternatives or [_Alternative()]
        text, confidence = alternatives[0].transcript, alternatives[0].confidence
        repeated = until <= self._settled
        if not results.is_final:
            return None if repeated else Heard(text, final=False, confidence=confidence)
        if self._sent - until < NEAR_BYTES:
            until = self._sent
        whole = self._asked and (results.from_finalize or until == self._sent)
        if repeated and not whole:
            return None
        self._settled = max(until, self._settled)
        taken_bytes = self._settled - self._began
        return Heard("" if repeated else text, True, taken_bytes, whole, confidence)


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _kind(text: str) -> Failure | None:
    """By the vendor's own words, whichever way they are spelled: `NET-0001`, `net0001`."""
    plain = text.upper().replace("-", "")
    return next((kind for phrase, kind in PHRASES if phrase in plain), None)
