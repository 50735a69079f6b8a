"""Threats 8 and 9: secrets and callers given to a whole hotline are nowhere in what it says of itself."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.cli.parser import run
from app.main import build
from app.simulator.caller import simulate_call
from app.simulator.plan import Account, CallPlan, Patience, Quirks, Turn
from tests.standins.elevenlabs import ElevenLabsStandin
from tests.standins.server import DATA_DIR, address, loopback, serving

NUMBER = "+15005550123"
OPERATOR = {"Authorization": "Bearer canary-admin-0f9e8d7c6b5a49382716"}
SECRETS = {
    "TWILIO_AUTH_TOKEN": "canary-twilio-4c1d0e9b8a7f6e5d",
    "ADMIN_TOKEN": OPERATOR["Authorization"].removeprefix("Bearer "),
    "ELEVENLABS_API_KEY": "canary-elevenlabs-77aa66bb55cc",
    "CARTESIA_API_KEY": "canary-cartesia-88dd77ee66ff",
    "INWORLD_API_KEY": "canary-inworld-99aa88bb77cc",
    "OPENAI_API_KEY": "canary-openai-11bb22cc33dd",
    "DEEPGRAM_API_KEY": "canary-deepgram-22cc33dd44ee",
    "LLM_API_KEY": "canary-llm-33dd44ee55ff",
    "ALARM_WEBHOOK_URL": "http://127.0.0.1:9/canary-alarm-44ee55ff66aa",
}
# All vendors are the one stand-in, which knows none of these keys, or nobody: every way to fail is gone.
VENDORS = ("ELEVENLABS", "CARTESIA", "INWORLD", "OPENAI", "DEEPGRAM", "LLM")
STREAM_TOKEN = re.compile(r'name="token" value="([^"]+)"')
ACCOUNT = "AC" + "0" * 32


def environ(vendor: ElevenLabsStandin, public_url: str) -> dict[str, str]:
    return {
        **SECRETS,
        **{f"{name}_BASE_URL": vendor.url for name in VENDORS},
        "PUBLIC_URL": public_url,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_BASE_URL": vendor.url,
        "HEARING_PROVIDERS": "none",
        "PREPARE_PHRASES": "0",
        "DATA_DIR": DATA_DIR,
        "LOG_LEVEL": "debug",
        "GREETING": "Hello.",
    }


@asynccontextmanager
async def a_house_full_of_canaries(**changes: str) -> AsyncIterator[str]:
    listener = loopback()
    async with (
        ElevenLabsStandin(delay_ms=(0, 0)) as vendor,
        serving(build({**environ(vendor, address(listener)), **changes}), listener) as url,
    ):
        yield url


async def place_a_call(url: str, *, auth_token: str = SECRETS["TWILIO_AUTH_TOKEN"]) -> None:
    account = Account(auth_token=auth_token, account_sid=ACCOUNT, caller_number=NUMBER)
    patience = Patience(longest_s=15.0, hang_up_after_ms=1200)
    turns = (Turn(digits="1", interrupt_after_ms=300),)
    plan = CallPlan(
        url=url + "/voice",
        account=account,
        turns=turns,
        patience=patience,
        quirks=Quirks(say_ms_per_character=0),
    )
    await simulate_call(plan)


async def everything_told(url: str) -> tuple[str, list[str]]:
    """What every path answers, to the operator and to strangers, in order and out of it; stream tokens."""
    told: list[str] = []
    tokens: list[str] = []
    async with httpx.AsyncClient(base_url=url) as http:
        for path in (
            "/",
            "/health/streaming",
            "/status",
            "/pool",
            "/metrics",
            "/logs?limit=5000",
            "/nothing",
        ):
            for headers in (OPERATOR, {}, {"Authorization": "Bearer wrong"}):
                answer = await http.get(path, headers=headers)
                told += [answer.text, str(answer.headers)]
        debug = await http.get("/debug-websocket-voice", headers=OPERATOR)
        tokens += STREAM_TOKEN.findall(debug.text)
        told += [debug.text, str(debug.headers)]
        for body in (b"\xff", b"{}", b'{"input": "Hello.", "response_format": "nothing"}'):
            for path in ("/v1/audio/speech", "/voice"):
                answer = await http.post(path, content=body, headers=OPERATOR)
                told += [answer.text, str(answer.headers)]
        spoken = await http.post("/v1/audio/speech", json={"input": "Hello."}, headers=OPERATOR)
        told += [str(spoken.headers), spoken.content.decode("latin-1")]
        told.append((await http.get("/logs?limit=5000", headers=OPERATOR)).text)
    return "\n".join(told), tokens


def found_in(text: str) -> list[str]:
    return [name for name, secret in SECRETS.items() if secret in text or secret[:24] in text]


async def test_threat_8_no_secret_is_told_by_a_day_of_calls_faults_and_questions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with a_house_full_of_canaries() as url:
        await place_a_call(url)
        await place_a_call(url, auth_token="not Twilio's")
        told, tokens = await everything_told(url)
    written = "".join(capsys.readouterr())

    for event in ("call.ended", "webhook.refused", "provider.failed", "server.started"):
        assert event in told + written
    assert found_in(told) == [] and found_in(written) == []
    assert tokens and not [token for token in tokens if token in written]


async def echo(request: Request) -> Response:
    """A vendor that repeats in its refusal what it was given, as some do."""
    return JSONResponse({"detail": {"message": f"bad key: {dict(request.headers)}"}}, status_code=401)


async def test_threat_8_a_vendor_that_repeats_its_key_is_quoted_without_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    vendor = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST"])])
    chain = {"SPEECH_PROVIDERS": "elevenlabs,inworld,openai,local", "ELEVENLABS_TRANSPORT": "http"}
    async with serving(vendor) as refusing:
        addresses = {f"{name}_BASE_URL": refusing for name in VENDORS}
        async with a_house_full_of_canaries(**chain, **addresses) as url:
            await place_a_call(url)
            told, _ = await everything_told(url)
    written = "".join(capsys.readouterr())

    assert "bad key: " in written and "[masked]" in written
    assert found_in(told) == [] and found_in(written) == []


async def test_threat_9_no_callers_number_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    async with a_house_full_of_canaries() as url:
        await place_a_call(url)
        told, _ = await everything_told(url)
    written = "".join(capsys.readouterr())

    assert "call.admitted" in written and '"pii.from": "[masked]"' in written
    assert NUMBER not in told + written and NUMBER[1:] not in told + written


async def test_the_canaries_would_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    async with a_house_full_of_canaries(LOG_PII="1", GREETING="canary") as url:
        await place_a_call(url)
    written = "".join(capsys.readouterr())

    assert NUMBER in written


@pytest.mark.parametrize("command", ["config", "doctor"])
def test_threat_8_no_command_that_shows_settings_shows_a_secret(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    run([command])
    run([command, "--json"])
    monkeypatch.setenv("ALARM_WEBHOOK_URL", "canary-alarm-44ee55ff66aa")
    run([command])
    shown = "".join(capsys.readouterr())

    assert "ALARM_WEBHOOK_URL" in shown and "canary" not in shown
