"""Probes and the status page."""

from dataclasses import replace
from pathlib import Path

from app.calls.admission import Admission
from app.calls.desk import LocalDesk
from app.calls.reception import Reception
from app.calls.registry import LiveCall, Registry
from app.observe.alarms import BUDGET
from app.observe.money import Money
from tests.standins.redis import RedisServer, needs_redis, until
from tests.web.conftest import PUBLIC, Knock, locked, make_parts, replica


async def test_health_tells_the_audio_path_without_secrets(knock: Knock) -> None:
    parts = make_parts(locks=locked(), elevenlabs_configured=True)
    async with parts.voice, knock(parts, peer="203.0.113.9") as http:
        answer = await http.get("/health/streaming")

    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] == "ready"
    assert body["streaming_enabled"] is True
    assert body["elevenlabs_configured"] is True
    assert body["websocket_url"] == f"{PUBLIC.replace('https', 'wss')}/media-stream"
    assert "12345" not in answer.text


async def test_a_full_house_is_not_ready_but_alive(knock: Knock) -> None:
    parts = make_parts(admission=Admission(1))
    async with parts.voice, knock(parts) as http:
        await http.post("/voice", data={"CallSid": "CA1"})
        health, ready, alive = [await http.get(path) for path in ("/health/streaming", "/readyz", "/livez")]

    assert (health.status_code, ready.status_code, alive.status_code) == (503, 503, 200)
    assert health.json()["status"] == "unavailable"
    assert health.json()["reason"] == "at capacity: 1 of 1 calls"


async def test_without_a_store_the_fleet_is_this_process(knock: Knock) -> None:
    parts = make_parts(admission=Admission(3))
    async with parts.voice, knock(parts) as http:
        body = (await http.get("/health/streaming")).json()

    assert body["store"] == "none"
    assert body["fleet"] == {"replicas": 1, "calls": {"live": 0, "max": 3}}


@needs_redis
async def test_health_sums_the_fleet_up_and_names_nobody(knock: Knock) -> None:
    async with (
        RedisServer() as server,
        replica(server.url, "a-replica", admission=Admission(3)) as one,
        replica(server.url, "b-replica", admission=Admission(4)) as other,
        knock(one) as http,
    ):
        other.registry.began(LiveCall("CA1", "MZ1", ""))
        other.admission.adopt("CA1", 0.0)
        await until(lambda: one.fleet is not None and one.fleet.briefs.get("b-replica", {}).get("live") == 1)
        answer = await http.get("/health/streaming")

    assert answer.json()["fleet"] == {"replicas": 2, "calls": {"live": 1, "max": 7}}
    assert (answer.json()["status"], answer.json()["calls"]) == ("ready", {"live": 0, "max": 3})
    assert "CA1" not in answer.text and "-replica" not in answer.text


async def test_with_the_store_away_calls_are_taken_and_health_says_what_is_wrong(knock: Knock) -> None:
    async with replica("redis://127.0.0.1:1", "a", admission=Admission(3)) as parts, knock(parts) as http:
        health, ready = await http.get("/health/streaming"), await http.get("/readyz")

    body = health.json()
    assert (health.status_code, ready.status_code) == (200, 200)
    assert (body["status"], body["store"]) == ("degraded", "away")
    assert "the store is away" in body["reason"]
    assert body["fleet"] == {"replicas": 1, "calls": {"live": 0, "max": 3}}


async def test_status_lists_live_calls_and_every_slot(knock: Knock) -> None:
    registry, admission = Registry(), Admission(3)
    registry.began(LiveCall("CA1", "MZ1", "2026-01-01T00:00:00+00:00"))
    parts = make_parts(registry=registry, admission=admission)
    async with knock(parts) as http:
        await http.post("/voice", data={"CallSid": "CA2"})
        body = (await http.get("/status")).json()

    assert [(call["call_sid"], call["stream_sid"], call["started_at"]) for call in body["calls"]["list"]] == [
        ("CA1", "MZ1", "2026-01-01T00:00:00+00:00")
    ]
    assert (body["calls"]["reserved"], body["calls"]["max"]) == (1, 3)


async def test_a_closed_house_is_not_ready_and_says_why(knock: Knock, tmp_path: Path) -> None:
    money = Money(folder=tmp_path, closed=True)
    admission = Admission(1)
    desk = LocalDesk(Reception(admission, scarce=lambda: money.gate.reason), admission)
    parts = replace(make_parts(money=money), desk=desk)
    async with parts.voice, knock(parts, peer="203.0.113.9") as http:
        health, ready = [await http.get(path) for path in ("/health/streaming", "/readyz")]

    assert (health.status_code, ready.status_code) == (503, 503)
    assert health.json()["reason"] == "closed by HOTLINE_CLOSED"
    assert ready.text == "closed by HOTLINE_CLOSED\n"


async def test_a_budget_that_is_half_spent_is_no_fault_of_the_audio_path(knock: Knock) -> None:
    parts = make_parts()
    parts.observers.alarms.read({"event": "budget.reached", "period": "day", "percent": 50})
    parts.observers.alarms.judge()
    async with parts.voice, knock(parts) as http:
        health, status = [await http.get(path) for path in ("/health/streaming", "/status")]

    assert health.json()["status"] == "ready"
    assert status.json()["alarms"]["active"][0]["alarm"] == BUDGET
    assert status.json()["spending"]["money"]["day"] == {"spent": "0.00", "budget": "0.00"}
