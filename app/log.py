"""The event stream: a room says a fact once, and everybody who reads facts is attached here.

    room ── log.info("speech.first_byte", ttfb_ms=212)
              └▶ level, time, call_sid (bound once, by contextvars)
                  └▶ sparing: what any stranger can cause is said so often a minute, and then counted
                      └▶ masking: secrets never, `pii.*` only when asked for,
                          │   and never of a call that is `unlogged`
                          └▶ readers: the ring behind /logs, later metrics and timelines
                              └▶ one line on stderr

Libraries that log through the standard library join the stream as `library.logged`.
"""

import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

Event = MutableMapping[str, Any]
Reader = Callable[[Event], None]

MASK = "[masked]"
UNLOGGED = "unlogged"
"""Bound, with any value, to the context of a call whose words and number nobody is to read."""
# Shapes of secrets that we may never have been told of: vendors echo keys in their messages.
KEY_SHAPES = re.compile(
    r"\b(?:sk_[0-9a-f]{16,}|sk_car_\w{8,}|sk-[\w-]{16,}|SK[0-9a-f]{32}|Bearer\s+[\w.~+/-]{12,}=*)"
)
CHATTY = [
    "uvicorn.access",
    "uvicorn.error",
    "websockets",
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "openai",
    "asyncio",
]
OF_STRANGERS = frozenset(
    {"stream.refused", "webhook.refused", "library.logged"}
)  # anybody can cause them ...
MOST_A_MINUTE = 60  # ... and would fill log and ring: beyond so many of one name they are only counted
LONGEST_VALUE = 2000  # characters; a vendor's whole error page in one field helps nobody
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
_readers: list[Reader] = []


def attach(reader: Reader) -> Callable[[], None]:
    """Hand every event, masked, to `reader`; returns what detaches it. A reader must not block or raise."""
    _readers.append(reader)
    return lambda: _readers.remove(reader)


def configure(*, level: str, style: str, secrets: Iterable[str] = (), show_pii: bool = False) -> None:
    """Set up the stream for this process: `style` is `console` or `json`."""
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if style == "console"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            Sparing(),
            structlog.processors.format_exc_info,
            Masking(secrets, show_pii=show_pii),
            _fan_out,
            _Threshold(level),
            renderer,
        ],
        # Readers are told everything from `info` on: metrics and alarms do not depend on what is written.
        wrapper_class=structlog.make_filtering_bound_logger("debug" if level == "debug" else "info"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _adopt_standard_logging(level)


class _Threshold:
    """A processor behind which only what is to be written goes on."""

    def __init__(self, level: str) -> None:
        self._least = getattr(logging, level.upper())

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        if getattr(logging, str(event["level"]).upper(), logging.INFO) < self._least:
            raise structlog.DropEvent
        return event


class Sparing:
    """A processor that lets no stranger fill the log; the next line said tells how many were not."""

    def __init__(self) -> None:
        self._minute = ""
        self._seen: Counter[str] = Counter()
        self._unsaid: Counter[str] = Counter()

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        name = str(event["event"])
        if name not in OF_STRANGERS:
            return event
        minute = str(event["timestamp"])[:16]
        if minute != self._minute:
            self._minute = minute
            self._seen.clear()
        self._seen[name] += 1
        if self._seen[name] > MOST_A_MINUTE:
            self._unsaid[name] += 1
            raise structlog.DropEvent
        if unsaid := self._unsaid.pop(name, 0):
            event["unsaid"] = unsaid
        return event


class Masking:
    """A processor that hides secrets wherever they stand, and callers' words and numbers in `pii.*` keys."""

    def __init__(self, secrets: Iterable[str] = (), *, show_pii: bool = False) -> None:
        self._known = re.compile("|".join(re.escape(secret) for secret in secrets) or r"(?!)")
        self._show_pii = show_pii

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        shows_pii = self._show_pii and UNLOGGED not in event
        return {key: self._field(key, value, shows_pii) for key, value in event.items()}

    def _field(self, key: str, value: object, shows_pii: bool) -> object:
        if key.startswith("pii.") and not shows_pii:
            return MASK
        if key == "exception":  # ours, many lines long, and wanted whole; all else may be a stranger's text
            return self._hide(str(value))
        return self._clean(value, shows_pii)

    def _clean(self, value: object, shows_pii: bool) -> object:
        match value:
            case str():
                return CONTROL.sub(lambda met: repr(met.group())[1:-1], self._hide(value))[:LONGEST_VALUE]
            case bool() | int() | float() | None:
                return value
            case bytes():
                return f"<{len(value)} bytes>"
            case dict():
                return {str(key): self._field(str(key), inner, shows_pii) for key, inner in value.items()}
            case list() | tuple():
                return [self._clean(inner, shows_pii) for inner in value]
            case _:
                return self._clean(str(value), shows_pii)

    def _hide(self, text: str) -> str:
        return KEY_SHAPES.sub(MASK, self._known.sub(MASK, text))


def _fan_out(_logger: object, _method: str, event: EventDict) -> EventDict:
    for reader in _readers:
        reader(event)
    return event


class _ToStream(logging.Handler):
    """Carries what libraries log into the one stream."""

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        say = getattr(log, level, log.info)
        fields: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        say("library.logged", **fields)


def _adopt_standard_logging(level: str) -> None:
    root = logging.getLogger()
    root.handlers = [_ToStream()]
    root.setLevel(max(logging.getLevelNamesMapping()[level.upper()], logging.INFO))
    # One line for every connection and request says nothing that our own events do not.
    for chatty in CHATTY:
        logging.getLogger(chatty).handlers = []
        logging.getLogger(chatty).propagate = True
        logging.getLogger(chatty).setLevel(logging.WARNING)
