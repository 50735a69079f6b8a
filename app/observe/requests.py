"""What other programs asked of our voices: one event each, the recent ones kept, all counted."""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from app import clock
from app.log import Event, log

KEPT = 100  # requests in `/status`
ANSWERED = "speech_api.answered"
SHOWN = (
    "timestamp",
    "request_id",
    "status",
    "outcome",
    "provider",
    "characters",
    "audio_ms",
    "ttfa_ms",
    "duration_ms",
    "response_format",
    "reason",
)


@dataclass(slots=True)
class Account:
    """One request while it is answered; what stands in it at the end is its event."""

    request_id: str
    began_at: float
    status: int = 500
    outcome: str = "failed"  # until it is known better: `complete`, `refused`, `broken_off`, `gone`
    characters: int = 0
    audio_ms: float = 0.0
    ttfa_ms: float | None = None
    response_format: str = ""
    reason: str = ""
    providers: list[str] = field(default_factory=list)
    """Who spoke, in the order in which they began."""

    def sent_first_byte(self) -> None:
        if self.ttfa_ms is None:
            self.ttfa_ms = self._elapsed_ms()

    def report(self) -> None:
        """Say how the request went: its one event."""
        say = log.warning if self.outcome in ("failed", "broken_off") else log.info
        say(
            ANSWERED,
            request_id=self.request_id,
            status=self.status,
            outcome=self.outcome,
            provider=",".join(self.providers),
            characters=self.characters,
            audio_ms=round(self.audio_ms),
            ttfa_ms=self.ttfa_ms,
            duration_ms=self._elapsed_ms(),
            response_format=self.response_format,
            reason=self.reason,
        )

    def _elapsed_ms(self) -> float:
        return round((clock.now() - self.began_at) * 1000, 1)


class Requests:
    """The book of requests; attach its `read` to the event stream."""

    def __init__(self, kept: int = KEPT) -> None:
        self._recent: deque[dict[str, Any]] = deque(maxlen=kept)
        self._outcomes: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()
        self._open: list[Account] = []

    @property
    def open(self) -> int:
        """Requests that are being answered."""
        return len(self._open)

    @contextmanager
    def account(self, request_id: str) -> Iterator[Account]:
        """A request, reported when the block is left; events inside of it bear its id."""
        account = Account(request_id, clock.now())
        self._open.append(account)
        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                try:
                    yield account
                finally:
                    account.report()
        finally:
            self._open.remove(account)

    def read(self, event: Event) -> None:
        match event.get("event"):
            case "speech.rendered":
                self._spoken(event.get("request_id"), str(event.get("provider", "")))
            case "speech.was_ready":
                self._spoken(event.get("request_id"), "cache")
            case str(name) if name == ANSWERED:
                self._recent.append({key: event.get(key) for key in SHOWN})
                self._outcomes[str(event.get("outcome"))] += 1
                self._sums["characters"] += int(event.get("characters") or 0)
                self._sums["audio_ms"] += int(event.get("audio_ms") or 0)

    def status(self) -> dict[str, Any]:
        """For the operator: how many by outcome, and the recent ones, newest last."""
        return {
            "open": self.open,
            "total": self._outcomes.total(),
            "outcomes": dict(self._outcomes),
            "characters": self._sums["characters"],
            "audio_ms": self._sums["audio_ms"],
            "recent": list(self._recent),
        }

    def _spoken(self, request_id: object, provider: str) -> None:
        for account in self._open:
            if account.request_id == request_id and provider not in account.providers:
                account.providers.append(provider)
