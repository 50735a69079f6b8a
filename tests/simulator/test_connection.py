"""The verb Connect."""

import re
from dataclasses import replace
from typing import Any

import pytest
from starlette.responses import Response
from twilio.request_validator import RequestValidator

from app import clock
from app.simulator.connection import Connection
from app.simulator.exchange import Exchange
from app.simulator.identity import Identity
from app.simulator.plan import Account
from app.simulator.recording import Recording
from app.simulator.report import StreamReport
from app.simulator.twiml import Stream
from app.simulator.webhook import Webhooks
from tests.simulator.bridge import BRIEF, Bridge, greet, serving

ACCOUNT = Account(auth_token="12345", account_sid="AC1", call_sid="CA1")
PUBLIC = "https://voice.example.com"


async def connect(bridge: Bridge, stream: Stream, **plan: Any) -> StreamReport:
    chosen = bridge.plan(account=ACCOUNT, patience=replace(BRIEF, hang_up_after_ms=60), **plan)
    async with Exchange() as exchange, Webhooks(chosen, exchange.transport) as webhooks:
        connection = Connection(chosen, Identity(ACCOUNT, "CA1"), webhooks, exchange.ticker)
        base = webhooks.address.signed()
        return await connection.hold(stream, base, Recording(), clock.now() + 5)


async def test_the_parameters_reach_the_bridge_in_start() -> None:
    async with serving(greet) as bridge:
        report = await connect(bridge, Stream("/media", {"token": "t", "x": ""}))

    start = bridge.peers[0].start
    assert start["streamSid"] == start["start"]["streamSid"] == report.stream_sid
    assert re.fullmatch(r"MZ[0-9a-f]{32}", report.stream_sid)
    assert (start["start"]["callSid"], start["start"]["accountSid"]) == ("CA1", "AC1")
    assert start["start"]["customParameters"] == {"token": "t", "x": ""}
    assert report.closed is not None and report.closed.by == "caller"


async def test_a_public_url_is_signed_as_it_stands_and_dialled_here() -> None:
    async with serving(greet) as bridge:
        report = await connect(bridge, Stream("wss://voice.example.com/media", {}), public_url=PUBLIC)

    given = bridge.handshakes[0]["x-twilio-signature"]
    assert RequestValidator("12345").compute_signature("wss://voice.example.com/media", {}) == given
    assert report.faults == []


async def test_a_relative_url_is_resolved_against_the_document_and_becomes_wss() -> None:
    async with serving(greet) as bridge:
        await connect(bridge, Stream("/media", {}), public_url=PUBLIC)

    given = bridge.handshakes[0]["x-twilio-signature"]
    assert RequestValidator("12345").compute_signature("wss://voice.example.com/media", {}) == given


async def test_a_query_is_dropped_and_reported() -> None:
    async with serving(greet) as bridge:
        report = await connect(bridge, Stream("wss://voice.example.com/media?token=1", {}), public_url=PUBLIC)

    assert [fault.code for fault in report.faults] == [31920]
    assert report.closed is not None
    given = bridge.handshakes[0]["x-twilio-signature"]
    assert RequestValidator("12345").compute_signature("wss://voice.example.com/media", {}) == given


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", 31923),
        ("wss://", 31923),
        ("http://[", 11200),
        ("ws://voice.example.com/media", 31922),
        ("ftp://voice.example.com/media", 31922),
        ("/no-such-path", 31920),
    ],
)
async def test_what_twilio_would_not_dial_is_a_fault_and_no_stream(url: str, code: int) -> None:
    async with serving(handshake=403) as bridge:
        report = await connect(bridge, Stream(url, {}))

    assert [fault.code for fault in report.faults] == [code]
    assert report.closed is None
    assert bridge.peers == []


async def test_the_status_callback_hears_of_start_and_stop() -> None:
    async with serving(greet) as bridge:
        report = await connect(bridge, Stream("/media", {}, status_url="/stream/status"))

    news = bridge.asked("/stream/status")
    assert [form["StreamEvent"] for form in news] == ["stream-started", "stream-stopped"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", form["Timestamp"]) for form in news)
    assert news[0].items() >= {"CallSid": "CA1", "AccountSid": "AC1", "StreamSid": report.stream_sid}.items()
    assert news[0]["StreamName"] == report.stream_sid
    assert "StreamError" not in news[0]


async def test_the_status_callback_hears_of_a_stream_that_never_was() -> None:
    async with serving(handshake=403) as bridge:
        await connect(bridge, Stream("/media", {}, name="n", status_url="/stream/status"))

    (form,) = bridge.asked("/stream/status")
    assert (form["StreamEvent"], form["StreamName"]) == ("stream-error", "n")
    assert "31920" in form["StreamError"]


@pytest.mark.parametrize(("url", "code"), [("/nobody/there", 15003), ("http://[", 11200)])
async def test_a_callback_that_is_not_taken_is_a_fault_and_no_harm(url: str, code: int) -> None:
    async with serving(greet, answers={"/nobody/there": Response("", 404)}) as bridge:
        report = await connect(bridge, Stream("/media", {}, status_url=url))

    assert [fault.code for fault in report.faults] == [code]
    assert report.closed is not None
