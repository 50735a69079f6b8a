"""Assembly: which voices are chosen, and that the whole starts, answers and stops."""

import asyncio

import httpx
import pytest

from app.errors import ConfigError
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
