"""What a program asks of `/v1/audio/speech`, checked, and how it is refused, in OpenAI's words.

Source: https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

import asyncio
import re
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.audio.encoder import MEDIA_TYPES
from app.audio.tempo import FASTEST, SLOWEST
from app.web.access import Refused

BODY_WITHIN_S = 30.0  # seconds; a program has its text ready
BYTES_PER_CHARACTER = 12  # JSON's longest: two escapes for one character
OTHER_BYTES = 64 * 1024  # of a body beside its text; instructions may be long
FIELD = re.compile(r"(?:field `|at `\$\.)(\w+)")
KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 503: "server_error"}


class SpeechRefused(Refused):
    """A request that is not answered with audio: OpenAI's `param` and `code` say which part and why."""

    def __init__(self, status: int, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(status, message)
        self.code = code
        self.param = param


class SpeechOrder(msgspec.Struct, frozen=True):
    """What is to be said, and in which form. Unknown fields are passed over: OpenAI's clients grow more."""

    input: str
    model: str | None = None
    """Any: the operator's chain of voices speaks, in its order."""
    voice: str | dict[str, Any] | None = None
    """Any, for the same reason."""
    response_format: str | None = None
    speed: float | None = None
    stream: bool | None = None
    """Either: every answer is streamed."""
    stream_format: str | None = None

    @property
    def form(self) -> str:
        return self.response_format or "mp3"

    @property
    def pace(self) -> float:
        return self.speed or 1.0

    @property
    def as_events(self) -> bool:
        return self.stream_format == "sse"


async def read_order(request: Request, input_max: int) -> SpeechOrder:
    """The order in a request's body.

    Raises:
        SpeechRefused: it cannot be read or followed.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        met = declared or "none"
        raise SpeechRefused(
            415, f"content-type {met}: expected application/json", code="unsupported_media_type"
        )
    body = await _body(request, input_max * BYTES_PER_CHARACTER + OTHER_BYTES)
    try:
        order = msgspec.json.decode(body, type=SpeechOrder)
    except msgspec.ValidationError as error:
        met_at = FIELD.search(str(error))
        param = met_at.group(1) if met_at else None
        raise SpeechRefused(400, str(error), code="invalid_type", param=param) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SpeechRefused(400, "the body is not JSON", code="invalid_json") from None
    _check(order, input_max)
    return order


def refusal(error: Refused) -> JSONResponse:
    """A refusal as OpenAI's clients read it."""
    default = "invalid_api_key" if error.status == 401 else None
    body = {
        "message": str(error),
        "type": KINDS.get(error.status, "invalid_request_error"),
        "param": getattr(error, "param", None),
        "code": getattr(error, "code", default),
    }
    headers = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "5"}}
    return JSONResponse({"error": body}, status_code=error.status, headers=headers.get(error.status))


def _check(order: SpeechOrder, input_max: int) -> None:
    if not any(map(str.isalnum, order.input)):
        raise SpeechRefused(400, "input: nothing in it can be said", code="invalid_value", param="input")
    if len(order.input) > input_max:
        raise SpeechRefused(
            400,
            f"input: {len(order.input)} characters, at most {input_max}",
            code="string_above_max_length",
            param="input",
        )
    if order.form not in MEDIA_TYPES:
        raise _none_of("response_format", order.form, tuple(MEDIA_TYPES))
    if order.stream_format not in (None, "audio", "sse"):
        raise _none_of("stream_format", str(order.stream_format), ("audio", "sse"))
    if order.speed is not None and not SLOWEST <= order.speed <= FASTEST:
        raise SpeechRefused(
            400,
            f"speed: {order.speed} is not from {SLOWEST} to {FASTEST}",
            code="invalid_value",
            param="speed",
        )


def _none_of(param: str, met: str, known: tuple[str, ...]) -> SpeechRefused:
    message = f"{param}: {met[:40]!r} is none of {', '.join(known)}"
    return SpeechRefused(400, message, code="invalid_value", param=param)


async def _body(request: Request, largest: int) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise SpeechRefused(413, f"the body is larger than {largest} bytes", code="too_large")
    except TimeoutError:
        raise SpeechRefused(408, "the body did not come in time", code="timeout") from None
    return bytes(body)
