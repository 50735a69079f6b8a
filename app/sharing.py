"""What calls share: slots, permits, tokens, records and news, of this process or of a fleet."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from app.calls.admission import Admission
from app.calls.desk import Desk, LocalDesk
from app.calls.drain import Drain
from app.calls.gate import Gate
from app.calls.means import Means
from app.calls.reception import Policy, Reception
from app.calls.record_files import RecordFiles
from app.calls.record_store import RecordStore
from app.calls.resume import Records
from app.calls.shared_closing import SharedSwitch
from app.calls.shared_desk import House, SharedDesk
from app.calls.shared_spending import SharedSpending
from app.calls.shares import Shares, part_of
from app.calls.strain import Bounds, Strain, no_ears, no_generations
from app.calls.token_store import SharedTokens
from app.calls.tokens import LocalTokens, Tokens
from app.calls.waiting import LocalLine
from app.capacity.local import LocalPermits
from app.capacity.port import Permits
from app.capacity.redis import RedisPermits
from app.capacity.store import Store
from app.observe.fleet import Fleet
from app.observe.shared_events import SharedEvents
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Shared:
    """Of one assembled hotline; `opened` for its life, in this order."""

    permits: Mapping[str, Permits]
    """By voice; the embedded one just takes its time."""
    records: Records
    tokens: Tokens
    fleet: Fleet | None = None
    events: SharedEvents | None = None
    store: Store | None = None
    spending: SharedSpending | None = None
    switch: SharedSwitch | None = None
    opened: tuple[AbstractAsyncContextManager[object], ...] = ()

    @property
    def patience(self) -> Callable[[], AbstractContextManager[None]]:
        """Bounds the time that one webhook spends on the store."""
        return self.store.patience if self.store is not None else nullcontext


def share(settings: Settings, admission: Admission) -> Shared:
    """In the store, where there is one.

    Raises:
        ConfigError: the store's address cannot be used.
    """
    limits = {name: settings.vendors.max_concurrent(name) for name in settings.voices if name != "local"}
    files = RecordFiles(Path(settings.server.data_dir) / "resume")
    life_s = settings.calls.stream_token_s
    if not settings.fleet.redis_url.get_secret_value():
        local = {name: LocalPermits(name, limit) for name, limit in limits.items()}
        return Shared(local, files, LocalTokens(life_s), opened=(files,))
    store = Store(settings.fleet.redis_url.get_secret_value(), prefix=settings.fleet.redis_prefix)
    replica = settings.server.replica or "hotline"
    fleet = Fleet(store, replica, expected=settings.fleet.replicas)
    permits = {
        name: RedisPermits(store, name, limit, replica=replica, replicas=lambda: fleet.known)
        for name, limit in limits.items()
    }
    records = RecordStore(store, files, secrets=_secrets(settings))
    tokens = SharedTokens(store, admission.withdraw, secret=_secret(settings), life_s=life_s)
    events = SharedEvents(store, replica)
    opened: tuple[AbstractAsyncContextManager[object], ...] = (
        store,
        events,
        fleet,
        records,
        tokens,
        *permits.values(),
    )
    spending = SharedSpending(store, _secret(settings))
    return Shared(permits, records, tokens, fleet, events, store, spending, SharedSwitch(store), opened)


def desk_of(
    settings: Settings,
    admission: Admission,
    shared: Shared,
    strain: Strain,
    means: Means,
    drain: Drain,
    gate: Gate,
) -> Desk:
    """Who decides over slots and line."""
    chosen = settings.admission
    queues = settings.calls.when_full == "queue"

    def scarce() -> str:
        return (
            gate.reason
            or strain.reason
            or (no_ears(means.recognisers.status()) if chosen.needs_ears else "")
            or no_generations(voice.permits for voice in means.voice.status())
        )

    reception = Reception(
        admission,
        policy=_policy(settings, admission.max_calls),
        line=LocalLine(chosen.max_waiting) if queues else None,
        scarce=scarce,
        gate=gate,
    )
    local = LocalDesk(reception, admission, lambda: not drain.draining)
    if shared.store is None:
        return local
    house = House(
        policy=lambda room: _policy(settings, room),
        max_waiting=chosen.max_waiting if queues else 0,
        reservation_s=settings.calls.reservation_s,
        secret=_secret(settings),
    )
    return SharedDesk(shared.store, settings.server.replica or "hotline", local, house)


def strain_of(settings: Settings) -> Strain:
    """The bounds of this process's load."""
    chosen = settings.admission
    percent = (chosen.cpu_percent, chosen.memory_percent, chosen.files_percent)
    return Strain(Bounds(chosen.lag_ms / 1000, *(each / 100 for each in percent)))


def _policy(settings: Settings, room: int) -> Policy:
    """For a house, or a whole fleet, that takes `room` calls."""
    chosen = settings.admission
    withheld = part_of(room, chosen.withheld_percent)
    per_number = chosen.per_number or part_of(room, chosen.number_percent)
    return Policy(Shares(per_number, withheld, chosen.by_called(room)), chosen.max_wait_s)


def _secret(settings: Settings) -> bytes:
    """The same on all replicas, and known to nobody else."""
    return (*_secrets(settings), b"")[0]


def _secrets(settings: Settings) -> list[bytes]:
    """While the token is changed some replicas begin with the old one and some with the new."""
    return [token.get_secret_value().encode() for token in settings.calls.twilio_auth_tokens]
