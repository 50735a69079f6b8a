"""Assembly: which voices are chosen, and that the whole starts, answers and stops."""

import asyncio
import os
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.errors import ConfigError
from app.log import Event, attach
from app.main import assemble, build, parts_of
from app.settings import Settings
from tests.standins.server import serving


def test_a_faulty_environment_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="MAX_CALLS"):
        build({"MAX_CALLS": "few"})


async def test_the_whole_starts_without_any_setting_and_stops_clean() -> None:
    async with serving(assemble(parts_of(Settings.load({})))) as url, httpx.AsyncClient(base_url=url) as http:
        health = (await http.get("/health/streaming")).json()
        events = (await http.get("/logs")).json()["events"]

    assert health["status"] == "ready"
    assert health["speech_providers"] == ["local"]
    assert "server.started" in [event["event"] for event in events]


async def test_a_lapsed_reservation_is_noticed_by_itself() -> None:
    settings = Settings.load({"RESERVATION_SECONDS": "0.1"})
    async with (
        asyncio.timeout(10),
        serving(assemble(parts_of(settings))) as url,
        httpx.AsyncClient(base_url=url, timeout=10) as http,
    ):
        await http.post("/voice", data={"CallSid": "CA1"}, headers={"Host": "localhost"})
        query = "/logs/stream?event=call.reservation_lapsed"
        async with http.stream("GET", query, headers={"Last-Event-ID": "0"}) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    break

    assert '"call_sid": "CA1"' in line


async def test_threat_19_what_is_too_old_is_deleted_when_a_server_starts(tmp_path: Path) -> None:
    message = tmp_path / "messages" / "CA1-1.wav"
    message.parent.mkdir()
    message.touch()
    os.utime(message, (0, 0))
    settings = Settings.load({"DATA_DIR": str(tmp_path), "RETENTION_DAYS": "7"})
    async with (
        asyncio.timeout(20),
        serving(assemble(parts_of(settings))) as url,
        httpx.AsyncClient(base_url=url, timeout=10) as http,
        http.stream("GET", "/logs/stream?event=retention.swept", headers={"Last-Event-ID": "0"}) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                break

    assert '"messages": 1' in line and '"days": 7' in line
    assert not message.exists()


def test_threat_19_without_days_nothing_is_offered_that_would_have_to_be_kept(tmp_path: Path) -> None:
    kept = parts_of(Settings.load({"DATA_DIR": str(tmp_path)}))
    gone = parts_of(Settings.load({"DATA_DIR": str(tmp_path), "RETENTION_DAYS": "0"}))

    assert (kept.waiting.offers, gone.waiting.offers) == (("message", "callback"), ())
    assert kept.means.messages_in == tmp_path / "messages" and gone.means.messages_in is None
    assert (kept.retention.days, gone.retention.days) == (30, 0)


def test_what_the_operator_chose_reaches_the_door() -> None:
    given = {"VIEW_TOKEN": "looks", "TRUSTED_PROXIES": "10.0.0.0/8", "TRUSTED_PROXY_HEADER": "x-real-ip"}
    locks = parts_of(Settings.load(given)).locks

    assert locks.view_tokens == ("looks",)
    assert locks.proxies.client_of("10.0.0.2", Headers({"x-real-ip": "34.5.6.7"})) == "34.5.6.7"


async def test_threat_11_alarms_go_only_where_they_may() -> None:
    told: list[str] = []

    async def hook(request: Request) -> Response:
        told.append((await request.json())["text"])
        return Response()

    async with serving(Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as url:
        for allow in ("", "127.0.0.1"):
            settings = Settings.load({"ALARM_WEBHOOK_URL": f"{url}/hook", "OUTBOUND_ALLOW": allow})
            observers = parts_of(settings).observers
            events: asyncio.Queue[Event] = asyncio.Queue()
            detach = attach(events.put_nowait)
            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                posting = group.create_task(observers.webhook.run())
                observers.webhook.tell(f"allowed: {allow}")
                assert "webhook" in (await events.get())["event"]
                posting.cancel()
            detach()

    assert told == ["allowed: 127.0.0.1"]
