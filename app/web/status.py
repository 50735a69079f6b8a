"""What hotlines are doing, for their operators: this process, and all the replicas there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app import clock
from app.observe.alarms import BUDGET
from app.observe.fleet import Reach, Replica
from app.web.parts import Parts

COUNTS = ("live", "reserved", "max")
STORE_AWAY = "the store is away: this replica is on its own"


@dataclass(frozen=True, slots=True)
class Readiness:
    """How this process is."""

    status: str
    """`ready`, `degraded`, `draining` or `unavailable`."""
    reason: str | None
    takes_calls: bool


def readiness(parts: Parts) -> Readiness:
    """Whether new calls can be taken here, and what is wrong."""
    if parts.drain.draining:
        return Readiness("draining", "draining: this process takes no new calls", takes_calls=False)
    refusal = parts.reception.full if parts.voice.names else "no voice is available"
    if refusal:
        return Readiness("unavailable", refusal, takes_calls=False)
    wrong = [f"{name} is failing" for name in parts.voice.failing]
    # A budget that is half spent is the operator's concern, and no fault of the audio path.
    alarms = [alarm for alarm in parts.observers.alarms.active if alarm["alarm"] != BUDGET]
    wrong += [f"{alarm['subject']}: {alarm['reason']}" for alarm in alarms]
    wrong += [STORE_AWAY] if reach_of(parts) is Reach.AWAY else []
    return Readiness("degraded" if wrong else "ready", "; ".join(wrong) or None, takes_calls=True)


def status_of(parts: Parts) -> dict[str, object]:
    """Of this process, in values that JSON can hold; no numbers, no words."""
    ready = readiness(parts)
    return {
        "status": ready.status,
        "reason": ready.reason,
        "calls": {
            "live": parts.admission.live,
            "reserved": parts.admission.taken - parts.admission.live,
            "max": parts.admission.max_calls,
            "list": [call.told() for call in parts.registry.live],
        },
        "speech": {
            "providers": parts.voice.names,
            "failing": parts.voice.failing,
            "voices": [asdict(voice) for voice in parts.voice.status()],
        },
        "hearing": parts.recognisers.status(),
        "speech_api": parts.observers.requests.status(),
        "alarms": parts.observers.alarms.status(),
        "line": parts.reception.status(clock.now()),
        "door": {
            **parts.doorstep.figures(),
            "sockets_pending": len(parts.pending),
            "sockets_refused": parts.pending.refused,
        },
        "spending": parts.money.status(),
        "strain": {"reason": parts.strain.reason or None, **parts.strain.figures()},
    }


async def replicas_of(parts: Parts) -> list[Replica]:
    """All that live, by name; this one alone where no other can be asked about."""
    if parts.fleet is not None:
        return await parts.fleet.replicas()
    return [Replica(parts.replica, 0, status_of(parts))]


def reach_of(parts: Parts) -> Reach:
    """Of whom this process can tell now."""
    return parts.fleet.reach if parts.fleet is not None else Reach.ALONE


def signature(parts: Parts, reach: Reach) -> dict[str, object]:
    """Who answers, and for how many replicas: on every page for operators."""
    known = parts.fleet.known if parts.fleet is not None and reach is Reach.FLEET else 1
    return {"replica": parts.replica, "replicas": known, "store": reach.value}


async def fleet_status(parts: Parts) -> dict[str, object]:
    """This process's status, the others in short, and the sums."""
    replicas = await replicas_of(parts)
    return {
        **signature(parts, reach_of(parts)),
        **status_of(parts),
        "fleet": [_brief(replica) for replica in replicas],
        "totals": sums(replica.status.get("calls", {}) for replica in replicas),
    }


def fleet_calls(parts: Parts) -> dict[str, object]:
    """The sums as they were told last, without asking anybody: for a page that strangers may ask for."""
    fleet = parts.fleet
    own = {"live": parts.admission.live, "max": parts.admission.max_calls}
    if fleet is None or fleet.reach is not Reach.FLEET:
        return sums([own], ("live", "max"))
    return sums(
        [own, *(brief for name, brief in fleet.briefs.items() if name != fleet.name)], ("live", "max")
    )


def sums(calls: Iterable[Mapping[str, Any]], counts: Sequence[str] = COUNTS) -> dict[str, object]:
    """How many replicas, and their calls together."""
    told = list(calls)
    return {
        "replicas": len(told),
        "calls": {name: sum(each.get(name, 0) for each in told) for name in counts},
    }


def _brief(replica: Replica) -> dict[str, object]:
    """A replica may be of another version, and tell less."""
    told = replica.status
    calls = told.get("calls", {})
    return {
        "name": replica.name,
        "age_ms": replica.age_ms,
        "status": told.get("status"),
        "reason": told.get("reason"),
        "calls": {name: calls.get(name, 0) for name in COUNTS},
        "speech_failing": told.get("speech", {}).get("failing", []),
        "strain": told.get("strain", {}),
    }
