"""What operators are told of one process, and of all."""

import json

from app import clock
from app.calls.admission import Admission
from app.calls.drain import Drain
from app.calls.registry import LiveCall
from app.observe.fleet import Reach, Replica
from app.web.status import STORE_AWAY, _brief, fleet_status, reach_of, readiness, status_of
from tests.standins.redis import RedisServer, needs_redis, until
from tests.web.conftest import make_parts, replica

OWN_KEYS = {"calls", "speech", "hearing", "speech_api", "alarms", "line", "strain"}


async def test_it_can_be_told_to_others_as_json_and_names_every_scarce_thing() -> None:
    parts = make_parts()
    parts.registry.began(LiveCall("CA1", "MZ1", clock.wall().isoformat()))

    told = json.loads(json.dumps(status_of(parts)))

    assert [call["call_sid"] for call in told["calls"]["list"]] == ["CA1"]
    assert set(told) >= OWN_KEYS


async def test_telling_others_takes_no_lapsed_reservation_from_who_logs_it() -> None:
    admission = Admission(1, reservation_s=0.0)
    admission.reserve("CA1", clock.now())

    status_of(make_parts(admission=admission))

    assert admission.expire(clock.now()) == ["CA1"]


async def test_without_a_store_one_replica_answers_in_the_same_shape() -> None:
    parts = make_parts(admission=Admission(3))
    told = json.loads(json.dumps(await fleet_status(parts)))

    assert (told["replica"], told["replicas"], told["store"]) == ("hotline", 1, "none")
    assert [(each["name"], each["age_ms"]) for each in told["fleet"]] == [("hotline", 0)]
    assert told["fleet"][0]["calls"] == {"live": 0, "reserved": 0, "max": 3}
    assert told["totals"] == {"replicas": 1, "calls": {"live": 0, "reserved": 0, "max": 3}}
    assert set(told) >= OWN_KEYS


@needs_redis
async def test_any_replica_tells_of_all_and_sums_them_up() -> None:
    drain = Drain()
    drain.begin(clock.now())
    async with (
        RedisServer() as server,
        replica(server.url, "a", admission=Admission(3)) as one,
        replica(server.url, "b", admission=Admission(4), drain=drain) as other,
    ):
        other.admission.adopt("CA1", clock.now())
        await until(lambda: one.fleet is not None and one.fleet.briefs.get("b", {}).get("live") == 1)
        told = json.loads(json.dumps(await fleet_status(one)))

    assert (told["replica"], told["replicas"], told["store"]) == ("a", 2, "ready")
    assert [(each["name"], each["status"]) for each in told["fleet"]] == [("a", "ready"), ("b", "draining")]
    assert [each["calls"]["live"] for each in told["fleet"]] == [0, 1]
    assert told["totals"] == {"replicas": 2, "calls": {"live": 1, "reserved": 0, "max": 7}}
    assert told["calls"]["max"] == 3  # of this process, as ever


async def test_with_the_store_away_it_tells_of_itself_and_says_so() -> None:
    async with replica("redis://127.0.0.1:1", "a") as parts:
        told = await fleet_status(parts)

        assert (told["replicas"], told["store"]) == (1, "away")
        assert told["status"] == "degraded" and told["reason"] == STORE_AWAY
        assert readiness(parts).takes_calls


@needs_redis
async def test_when_the_store_goes_away_no_other_is_counted_any_more() -> None:
    async with (
        RedisServer() as server,
        replica(server.url, "a", within_s=1.0) as one,
        replica(server.url, "b", within_s=1.0),
    ):
        await until(lambda: one.fleet is not None and one.fleet.known == 2)
        server.kill()
        await until(lambda: reach_of(one) is Reach.AWAY)
        told = await fleet_status(one)

    assert (told["replicas"], told["store"]) == (1, "away")
    assert told["totals"] == {"replicas": 1, "calls": {"live": 0, "reserved": 0, "max": 2}}


def test_of_a_replica_of_another_version_is_told_what_it_says() -> None:
    told = _brief(Replica("old", 900, {"calls": {"live": 1}}))

    assert (told["name"], told["status"], told["calls"]) == (
        "old",
        None,
        {"live": 1, "reserved": 0, "max": 0},
    )
