"""What must never be seen of any test's hotline, and who looks for it in every event of the whole suite.

Secrets are looked for in what is left after masking, wherever it stands. Callers' numbers and words are
looked for outside of `pii.*`, before masking: whatever a test's events hold under `pii.*` is what that test's
callers told.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

import structlog
from structlog.typing import EventDict

from app.log import Event, Masking
from tests.standins import (
    cartesia,
    deepgram,
    deepgram_voice,
    elevenlabs,
    elevenlabs_stt,
    inworld,
    openai,
    openai_voice,
)

TWILIO_TOKEN = "canary-twilio-0d1c2b3a49586776"
ADMIN_TOKEN = "sesame"
VENDORS = (
    cartesia,
    deepgram,
    deepgram_voice,
    elevenlabs,
    elevenlabs_stt,
    inworld,
    openai,
    openai_voice,
)
SECRETS = (TWILIO_TOKEN, ADMIN_TOKEN, inworld.SECRET, *sorted({vendor.KEY for vendor in VENDORS}))
NUMBER = re.compile(r"1500555\d{4}")  # of every simulated caller
SHORTEST_WORDS = 12  # characters; "yes" and "Hello." are everybody's


class Watch:
    """Listens to one test's events, from both sides of the masking."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._elsewhere: list[str] = []
        self._leaks: list[str] = []

    def before_masking(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """A processor that changes nothing."""
        for key, value in _fields(event):
            if key.startswith("pii."):
                self._told.update(_words(value))
            else:
                self._elsewhere.append(value)
        return event

    def after_masking(self, event: Event) -> None:
        """A reader of the event stream."""
        self._leaks += leaks_of(event)

    def leaks(self) -> list[str]:
        """Where something was seen that must not be."""
        said = [
            f"a caller's words or number outside of pii: {text}"
            for text in self._elsewhere
            if any(words in text for words in self._told)
        ]
        return self._leaks + said

    def put_before_masking(self) -> None:
        """Into the event stream of this process, as it is configured now."""
        processors = structlog.get_config()["processors"]
        at = next(number for number, one in enumerate(processors) if isinstance(one, Masking))
        structlog.configure(processors=[*processors[:at], self.before_masking, *processors[at:]])


def leaks_of(event: Mapping[str, object]) -> list[str]:
    """What of an event should not have been said, as it was said."""
    return [
        f"{event.get('event')}: {key}={value}"
        for key, value in _fields(event)
        if any(secret in value for secret in SECRETS) or (not key.startswith("pii.") and NUMBER.search(value))
    ]


def leaks_in(log: str) -> list[str]:
    """The same of what another process wrote: JSON lines, and whatever stands between them."""
    found = []
    for line in log.splitlines():
        try:
            event = json.loads(line)
        except ValueError:  # a traceback, or the last line of a process that was killed
            event = {}
        found += leaks_of(event if isinstance(event, dict) and event else {"event": "a line", "text": line})
    return found


def _fields(event: Mapping[str, object], within: str = "") -> Iterator[tuple[str, str]]:
    for key, value in event.items():
        where = within or str(key)
        if isinstance(value, Mapping):
            yield from _fields(value, where if where.startswith("pii.") else "")
        else:
            yield where, str(value)


def _words(value: str) -> Iterable[str]:
    """What of a caller's words is not anybody's."""
    return [value] if len(value) >= SHORTEST_WORDS or NUMBER.search(value) else []
