"""Probes and the status page."""

from app.calls.admission import Admission
from app.calls.registry import LiveCall, Registry
from tests.web.conftest import PUBLIC, Knock, locked, make_parts


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


async def test_status_lists_live_calls_and_every_slot(knock: Knock) -> None:
    registry, admission = Registry(), Admission(3)
    registry.began(LiveCall("CA1", "MZ1", "2026-01-01T00:00:00+00:00"))
    parts = make_parts(registry=registry, admission=admission)
    async with knock(parts) as http:
        await http.post("/voice", data={"CallSid": "CA2"})
        body = (await http.get("/status")).json()

    assert body["calls"]["list"] == [
        {"call_sid": "CA1", "stream_sid": "MZ1", "started_at": "2026-01-01T00:00:00+00:00"}
    ]
    assert (body["calls"]["reserved"], body["calls"]["max"]) == (1, 3)
