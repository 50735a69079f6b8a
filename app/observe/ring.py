"""The last events, in memory: what `/logs` shows, and what a live reader follows."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from app.log import Event

KEPT = 5000  # events; about 2 MB, and at ten lines a call the last 500 calls
FOLLOWER_BACKLOG = 1000  # events a slow follower may lag before the oldest are dropped
LEVELS = ("debug", "info", "warning", "error", "critical")
AUDIO_PATH = frozenset({"stream", "media", "speech", "audio", "playout", "provider"})


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a reader wants; an empty field lets all through."""

    call_sid: str = ""
    level: str = ""  # least level
    event: str = ""  # a name, or its beginning: `speech` or `speech.first_byte`
    since: str = ""  # ISO 8601; later events only
    audio_path: bool = False  # only media, speech, conversion and playout

    def admits(self, event: Event) -> bool:
        name = str(event.get("event", ""))
        return (
            (not self.call_sid or event.get("call_sid") == self.call_sid)
            and (not self.level or _rank(event.get("level")) >= _rank(self.level))
            and (not self.event or name == self.event or name.startswith(self.event + "."))
            and (not self.since or str(event.get("timestamp", "")) > self.since)
            and (not self.audio_path or name.partition(".")[0] in AUDIO_PATH)
        )


@dataclass(slots=True)
class Follower:
    """One live reader: a bounded queue, and a bell that rings when there is something in it."""

    wanted: Filter
    waiting: deque[tuple[int, Event]] = field(default_factory=lambda: deque(maxlen=FOLLOWER_BACKLOG))
    bell: asyncio.Event = field(default_factory=asyncio.Event)


class Ring:
    """A bounded memory of events; attach its `read` to the event stream."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[tuple[int, Event]] = deque(maxlen=kept)
        self._count = 0
        self._followers: list[Follower] = []

    def read(self, event: Event) -> None:
        self._count += 1
        numbered = (self._count, dict(event))
        self._events.append(numbered)
        for follower in self._followers:
            if follower.wanted.admits(event):
                follower.waiting.append(numbered)
                follower.bell.set()

    def forget_before(self, moment: datetime) -> None:
        """Drop what is older: with LOG_PII it is callers' words and numbers."""
        oldest = moment.isoformat()
        while self._events and str(self._events[0][1].get("timestamp", "")) < oldest:
            self._events.popleft()

    def last(self, limit: int, wanted: Filter) -> list[Event]:
        """The newest `limit` events that `wanted` admits, newest last."""
        found: list[Event] = []
        for _, event in reversed(self._events):
            if len(found) >= limit:
                break
            if wanted.admits(event):
                found.append(event)
        return found[::-1]

    def after(self, number: int, wanted: Filter) -> list[tuple[int, Event]]:
        """Numbered events later than `number`: what a reader that was away has missed and is still here."""
        return [(n, event) for n, event in self._events if n > number and wanted.admits(event)]

    @contextmanager
    def follow(self, wanted: Filter) -> Iterator[Follower]:
        """A live reader for the length of the block."""
        follower = Follower(wanted)
        self._followers.append(follower)
        try:
            yield follower
        finally:
            self._followers.remove(follower)


def _rank(level: object) -> int:
    return LEVELS.index(str(level)) if level in LEVELS else 0
