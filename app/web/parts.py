"""What the door is given by `main.py`: the rooms behind it, and what the operator chose."""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from app.calls.admission import Admission
from app.calls.desk import Desk
from app.calls.drain import Drain
from app.calls.means import Means
from app.calls.notes import Notes
from app.calls.reception import No, Reception
from app.calls.registry import Registry
from app.calls.retention import Retention
from app.calls.script import Script
from app.calls.strain import Strain
from app.calls.tokens import Tokens
from app.calls.welcome import NO_NUMBERS, Numbers
from app.hearing.chain import HearingChain
from app.log import Reader
from app.observe.alarm_watch import AlarmWatch
from app.observe.alarm_webhook import AlarmWebhook
from app.observe.chronicle import Chronicle
from app.observe.fleet import Fleet
from app.observe.metrics import Metrics
from app.observe.money import Money
from app.observe.requests import Requests
from app.observe.ring import Ring
from app.observe.shared_events import SharedEvents
from app.speech.chain import Chain
from app.telephony.rest import Account
from app.web.doorstep import Doorstep
from app.web.pending import Pending
from app.web.proxies import NOBODY, Proxies


@dataclass(frozen=True, slots=True)
class Locks:
    """Who may knock: Twilio by signature, operators by token."""

    public_url: str
    twilio_tokens: tuple[str, ...]
    account_sid: str
    admin_tokens: tuple[str, ...]
    trusts_this_machine: bool
    """Without an admin token, programs on this machine are operators."""
    view_tokens: tuple[str, ...] = ()
    """They may look, and nothing else."""
    proxies: Proxies = NOBODY
    """Who is believed when they say whose request it is."""
    unlogged: Numbers = NO_NUMBERS
    """Calls from and to them are never told with words and numbers."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the telephone network says in our place, and when it does."""

    busy: str
    reject_when_full: bool
    closed: str = "We are closed at the moment. Goodbye."
    limit: str = "We cannot take your call. Goodbye."

    def of(self, why: No) -> str:
        """What a caller hears who is turned away."""
        return {No.CLOSED: self.closed, No.BUDGET: self.closed, No.LIMIT: self.limit}.get(why, self.busy)


class Observers:
    """Who reads the event stream beside the ring; attached and run by the lifespan."""

    def __init__(self, alarm_webhook_url: str = "", outbound_allow: Sequence[str] = ()) -> None:
        self.requests = Requests()
        self.metrics = Metrics()
        self.webhook = AlarmWebhook(alarm_webhook_url, allow=outbound_allow)
        self.alarms = AlarmWatch(self.webhook.tell)

    def readers(self) -> list[Reader]:
        """What is attached to the event stream."""
        return [self.requests.read, self.metrics.read, self.alarms.read]

    def work(self) -> list[Coroutine[None, None, None]]:
        """What runs as long as the server does."""
        return [self.alarms.run(), self.webhook.run(), self.metrics.watch_loop()]


BRIEF = "brief-"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What callers in line hear, may choose, and leave behind."""

    hold: tuple[bytes, ...] = ()
    """WAV files, played in turn."""
    brief: tuple[bytes, ...] = ()
    """The same in short ones, for callers who have to come back soon by themselves."""
    offers: tuple[str, ...] = ()
    """Of `message` and `callback`."""
    notes: Notes = field(default_factory=lambda: Notes(Path("data")))

    def piece(self, name: str) -> bytes | None:
        """The file of that name: a number, or one behind `BRIEF`."""
        files, number = (self.brief if name.startswith(BRIEF) else self.hold), name.removeprefix(BRIEF)
        return files[int(number)] if number in map(str, range(len(files))) else None


@dataclass(frozen=True, slots=True)
class Parts:
    """One assembled hotline, as the door sees it."""

    locks: Locks
    words: Words
    means: Means
    desk: Desk
    tokens: Tokens
    registry: Registry
    ring: Ring
    script_for: Callable[[str], Script]
    """What is said on a new call, by the path its socket came on."""
    elevenlabs_configured: bool
    drain: Drain = field(default_factory=Drain)
    fleet: Fleet | None = None
    """The other replicas, where there is a store."""
    events: SharedEvents | None = None
    patience: Callable[[], AbstractContextManager[None]] = nullcontext
    """Bounds the time that one webhook spends on the store."""
    strain: Strain = field(default_factory=Strain)
    waiting: Waiting = field(default_factory=Waiting)
    retention: Retention = field(default_factory=lambda: Retention(Path("data"), 30.0))
    account: Account | None = None
    """Twilio's REST API, where there are credentials for it."""
    ready: Sequence[str] = ()
    """What is likely to be said, to be rendered ahead."""
    opened: Sequence[AbstractAsyncContextManager[object]] = ()
    """What else lives as long as the process."""
    shows_words: bool = False
    """Operators may read what callers said."""
    speech_input_max: int = 50_000
    """Characters of one request for speech."""
    observers: Observers = field(default_factory=Observers)
    doorstep: Doorstep = field(default_factory=Doorstep)
    pending: Pending = field(default_factory=Pending)
    money: Money = field(default_factory=Money)

    @property
    def admission(self) -> Admission:
        """The slots of this process."""
        return self.desk.admission

    @property
    def reception(self) -> Reception:
        """What is decided over, as it was last known."""
        return self.desk.reception

    @property
    def replica(self) -> str:
        """This process's name."""
        return self.fleet.name if self.fleet is not None else self.means.replica or "hotline"

    @property
    def chronicle(self) -> Chronicle:
        """What happened here, or in the whole fleet."""
        return Chronicle(self.replica, self.ring, self.events)

    @property
    def voice(self) -> Chain:
        return self.means.voice

    @property
    def recognisers(self) -> HearingChain:
        return self.means.recognisers
