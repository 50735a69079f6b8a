"""Feeds the alarms from the event stream, and says aloud what they decide.

The reader only notes: an event logged from inside it would bear the call that happened to be at hand. A task
of its own judges, at once where a key was refused and every few seconds otherwise.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from app import clock
from app.log import Event, log
from app.observe.alarms import Alarms, Change, Raised

JUDGE_EVERY_S = 2.0
FAILED_SESSIONS = frozenset({"speech_failed", "stream_broke", "protocol_broken", "internal_error"})
REFUSED_KEYS = frozenset({"auth", "auth_suspect"})


class AlarmWatch:
    """The alarms of one hotline; attach its `read` to the event stream, and `run` it."""

    def __init__(self, tell: Callable[[str], None] = lambda _text: None) -> None:
        """`tell` is given a sentence of every change; it returns at once."""
        self._alarms = Alarms()
        self._tell = tell
        self._at_once = asyncio.Event()

    @property
    def active(self) -> list[dict[str, str]]:
        """What stands now, for the operator."""
        return [
            {"alarm": alarm.name, "subject": alarm.subject, "reason": alarm.reason}
            for alarm in self._alarms.active
        ]

    def status(self) -> dict[str, Any]:
        """For the operator: what stands, and the counts that are watched."""
        return {"active": self.active, "watched": self._alarms.rates(clock.now())}

    def read(self, event: Event) -> None:
        provider = str(event.get("provider", ""))
        match event.get("event"):
            case "speech.rendered" if event.get("outcome") == "complete":
                self._alarms.happened("generations", provider, clock.now(), failed=False)
                self._alarms.key_worked(provider)
            case "provider.recovered":
                self._alarms.key_worked(provider)
            case "provider.failed":
                self._failed(provider, str(event.get("kind", "")))
            case "call.ended":
                failed = event.get("reason") in FAILED_SESSIONS
                self._alarms.happened("sessions", "calls", clock.now(), failed=failed)
            case "budget.reached":
                period, percent = str(event.get("period")), event.get("percent")
                self._alarms.budget_reached(
                    f"{period} {percent} %", f"{percent} % of the {period}'s budget are spent"
                )
                self._at_once.set()
            case "budget.renewed":
                for level in event.get("levels", ()):
                    self._alarms.budget_renewed(f"{event.get('period')} {level} %")

    async def run(self) -> None:
        """Judge until cancelled."""
        while True:
            self.judge()
            self._at_once.clear()
            try:
                async with asyncio.timeout(JUDGE_EVERY_S):
                    await self._at_once.wait()
            except TimeoutError:
                continue

    def judge(self) -> None:
        """Say what has changed by now."""
        for change in self._alarms.judge(clock.now()):
            _log(change)
            self._tell(_sentence(change))

    def _failed(self, provider: str, kind: str) -> None:
        now = clock.now()
        if kind in REFUSED_KEYS:
            self._alarms.key_refused(kind, provider, now)
            self._at_once.set()
        if kind != "over_limit":  # a turn in the line, not a failure: the same sentence is tried again
            self._alarms.happened("generations", provider, now, failed=True)


def _log(change: Change) -> None:
    alarm = change.alarm
    fields: dict[str, Any] = {"alarm": alarm.name, "subject": alarm.subject, "reason": alarm.reason}
    if isinstance(change, Raised):
        log.error("alarm.raised", **fields)
    else:
        log.info("alarm.cleared", **fields, stood_s=round(change.stood_s))


def _sentence(change: Change) -> str:
    alarm = change.alarm
    if isinstance(change, Raised):
        return f"hotline: alarm {alarm.name} of {alarm.subject}: {alarm.reason}"
    return f"hotline: over: alarm {alarm.name} of {alarm.subject} (stood {change.stood_s:.0f} s)"
