"""`hotline logs`, against a running hotline."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from app.cli.logs import Lines
from app.cli.parser import run
from app.observe.ring import Ring
from app.web.app import create_app
from tests.standins.server import serving
from tests.web.conftest import _nothing, locked, make_parts, replica


@pytest.fixture
async def url() -> AsyncIterator[str]:
    ring = Ring()
    for sid, name, level in [
        ("CA1", "call.admitted", "info"),
        ("CA2", "call.admitted", "info"),
        ("CA2", "provider.failed", "warning"),
    ]:
        ring.read(
            {"event": name, "level": level, "timestamp": "2026-01-01T00:00:00Z", "call_sid": sid, "n": 7}
        )
    async with serving(create_app(make_parts(ring=ring), _nothing)) as address:
        yield address


async def logs(*argv: str) -> int:
    return await asyncio.to_thread(run, ["logs", *argv])


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        ([], [("CA1", "call.admitted"), ("CA2", "call.admitted"), ("CA2", "provider.failed")]),
        (["--latest"], [("CA2", "call.admitted"), ("CA2", "provider.failed")]),
        (["--call", "CA1"], [("CA1", "call.admitted")]),
        (["--errors"], [("CA2", "provider.failed")]),
    ],
)
async def test_the_choice_of_events(
    url: str, argv: list[str], found: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await logs("--url", url, "--json", *argv) == 0

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["call_sid"], event["event"]) for event in events] == found


async def test_a_person_sees_one_line_an_event_with_its_fields(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await logs("--url", url, "--errors") == 0

    line = capsys.readouterr().out
    assert line.startswith("2026-01-01T00:00:00Z warning")
    assert "provider.failed" in line and "n=7" in line


def event(replica: str) -> dict[str, str]:
    return {"timestamp": "2026-01-01T00:00:00Z", "level": "info", "event": "x.y", "replica": replica}


def test_the_replica_is_named_where_there_are_several() -> None:
    alone, fleet = Lines(as_json=False, replicas=1), Lines(as_json=False, replicas=2)

    assert "replica" not in alone.line(event("a"))
    assert "replica=a" in fleet.line(event("a"))
    assert "replica=b" in alone.line(event("b"))  # one has come since


async def test_with_the_store_away_it_is_said_whose_events_these_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with (
        replica("redis://127.0.0.1:1", "a") as parts,
        serving(create_app(parts, _nothing)) as address,
    ):
        assert await logs("--url", address) == 0

    assert "the store is away: these are the events of replica a only" in capsys.readouterr().err


async def test_no_call_yet_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(create_app(make_parts(), _nothing)) as address:
        assert await logs("--url", address, "--latest") == 1

    assert "no call has come yet" in capsys.readouterr().err


async def test_a_closed_door_is_named_with_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(create_app(make_parts(locks=locked(admin_tokens=("a",))), _nothing)) as address:
        assert await logs("--url", address) == 2

    assert "ADMIN_TOKEN" in capsys.readouterr().err


async def test_nobody_there_is_named_with_the_cure(capsys: pytest.CaptureFixture[str]) -> None:
    assert await logs("--url", "http://127.0.0.1:9") == 2

    assert "hotline serve" in capsys.readouterr().err
