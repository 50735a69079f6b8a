"""Threats 12, 18 and 20: what hotline does not have, it must not have by accident."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.calls.notes import Notes
from app.telephony import signature
from app.telephony.rest import Account
from app.web.audience import AUDIENCES
from app.web.parts import Parts, Waiting
from tests.standins.server import serving
from tests.web.conftest import PUBLIC, TOKEN, Knock, desk_with_a_line, locked, make_parts

STRANGER = "203.0.113.9"
PREMIUM = "+19005550199"
CANARY = b"RIFF what a caller said"
FORM = {
    "CallSid": "CA1",
    "AccountSid": "AC1",
    "From": "+15550100",
    "To": PREMIUM,
    "Digits": "2",
    "Url": "https://evil.example/twiml",
    "RecordingUrl": "https://evil.example/a.wav",
}
PATHS = sorted(
    path for path in AUDIENCES if "{" not in path and path != "/logs/stream"
)  # that one never ends
OPERATOR = {"Authorization": "Bearer operates"}


@asynccontextmanager
async def twilio() -> AsyncIterator[tuple[Account, list[tuple[str, str]]]]:
    """The account's API, and what it was asked."""
    asked: list[tuple[str, str]] = []

    async def answer(request: Request) -> Response:
        asked.append((request.method, request.url.path))
        return JSONResponse({})

    app = Starlette(routes=[Route("/{rest:path}", answer, methods=["GET", "POST"])])
    async with serving(app) as url, Account("AC1", "token", base_url=url) as account:
        yield account, asked


def house(tmp_path: Path, **changes: object) -> Parts:
    parts = make_parts(locks=locked(admin_tokens=("operates",)), **changes)
    waiting = Waiting((b"RIFF hold",), (b"RIFF hold",), ("message", "callback"), Notes(tmp_path))
    return replace(parts, desk=desk_with_a_line(), waiting=waiting)


async def ask_everything(http: httpx.AsyncClient, headers: dict[str, str]) -> list[httpx.Response]:
    answers = []
    for path in PATHS:
        sign = signature.sign(TOKEN, PUBLIC + path, FORM.items())
        bearing = headers or {"X-Twilio-Signature": sign}
        answers.append(await http.get(path, params=FORM, headers=headers))
        answers.append(await http.post(path, data=FORM, headers=bearing))
    return answers


@pytest.mark.parametrize("headers", [OPERATOR, {}], ids=["operator", "twilio"])
async def test_threat_12_nothing_that_may_be_asked_begins_a_call(
    headers: dict[str, str], knock: Knock, tmp_path: Path
) -> None:
    async with twilio() as (account, asked):
        parts = house(tmp_path, account=account)
        async with parts.voice, knock(parts, peer=STRANGER) as http:
            answers = await ask_everything(http, headers)

    assert any(answer.status_code == 200 for answer in answers)
    assert not [path for method, path in asked if method == "POST" and path.endswith("/Calls.json")]
    assert not any("<Dial" in answer.text for answer in answers)


async def test_threat_18_a_stranger_is_given_no_stream(knock: Knock, tmp_path: Path) -> None:
    parts = house(tmp_path)
    async with parts.voice, knock(parts, peer=STRANGER) as http:
        answers = await ask_everything(http, {"Authorization": "Bearer guessed"})

    assert not any(
        "<Stream" in answer.text or "token" in answer.text.lower() for answer in answers if answer.is_success
    )
    assert parts.tokens is not None and not parts.registry.live


@pytest.mark.parametrize(
    "path",
    [
        "/messages/CA1.wav",
        "/recordings/CA1",
        "/data/messages/CA1.wav",
        "/audio/hold/../messages/CA1.wav",
        "/audio/hold/..%2fmessages%2fCA1.wav",
        "/audio/hold/%2e%2e/%2e%2e/messages/CA1.wav",
        "/audio/hold/brief-../messages/CA1.wav",
        "/audio/hold/messages%00/CA1.wav",
    ],
)
@pytest.mark.parametrize("headers", [{}, OPERATOR], ids=["stranger", "operator"])
async def test_threat_20_no_path_leads_to_what_callers_left(
    path: str, headers: dict[str, str], knock: Knock, tmp_path: Path
) -> None:
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "CA1.wav").write_bytes(CANARY)
    async with knock(house(tmp_path), peer=STRANGER) as http:
        for more in ({}, {"Range": "bytes=0-3,0-3,0-3"}):
            answer = await http.get(path, headers={**headers, **more})

            assert answer.status_code in (401, 403, 404)
            assert CANARY not in answer.content


async def test_threat_20_parts_of_the_hold_audio_are_not_multiplied(knock: Knock, tmp_path: Path) -> None:
    many = "bytes=" + ",".join(["0-"] * 1000)
    async with knock(house(tmp_path), peer=STRANGER) as http:
        answer = await http.get("/audio/hold/0.wav", headers={"Range": many})

    assert len(answer.content) <= len(b"RIFF hold")
