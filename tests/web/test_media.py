"""The media sockets over a real uvicorn: the three gates, and what a stranger is told."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app import clock
from app.calls.admission import Admission
from app.calls.record_files import RecordFiles
from app.calls.resume import Record, Unheard
from app.calls.script import Script
from app.calls.tokens import LocalTokens
from app.conversation.immediate import Immediate
from app.conversation.port import CallResumed, Fact, Order, Say, SentenceHeard
from app.conversation.stateless import Stateless
from app.telephony import signature
from app.web import media, pending
from app.web.app import create_app
from app.web.parts import Parts
from tests.standins.server import serving
from tests.web.conftest import PUBLIC, TOKEN, _nothing, locked, make_parts

CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}


def start(token: str | None, call_sid: str = "CA1") -> dict[str, Any]:
    body = {
        "streamSid": "MZ1",
        "callSid": call_sid,
        "accountSid": "AC1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {} if token is None else {"token": token},
    }
    return {"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": body}


@asynccontextmanager
async def dialled(parts: Parts, **options: Any) -> AsyncIterator[ClientConnection]:
    """A socket to a served door, bounded in time."""
    async with (
        asyncio.timeout(10),
        parts.voice,
        serving(create_app(parts, _nothing)) as url,
        connect(url.replace("http", "ws") + "/media-stream", **options) as socket,
    ):
        yield socket


async def say(socket: ClientConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def close_of(socket: ClientConnection) -> tuple[int, str]:
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return closed.rcvd.code, closed.rcvd.reason


async def test_a_call_with_its_token_is_spoken_to_and_gone_after_the_hang_up() -> None:
    parts = make_parts()
    parts.admission.reserve("CA1", clock.now())
    token = await parts.tokens.issue("CA1")
    async with dialled(parts) as socket:
        await say(socket, CONNECTED, start(token))
        first = json.loads(await socket.recv())
        assert parts.admission.live == 1
        await say(socket, {"event": "stop", "sequenceNumber": "2", "streamSid": "MZ1", "stop": {}})
        assert await close_of(socket) == (1000, "")

    assert first["streamSid"] == "MZ1"
    assert len(b64decode(first["media"]["payload"])) <= 480
    assert parts.admission.taken == 0
    assert parts.registry.live == []


@pytest.mark.parametrize("token", [None, "", "wrong", "ünicode"])
async def test_a_wrong_token_is_turned_away_without_a_reason(token: str | None) -> None:
    parts = make_parts()
    parts.admission.reserve("CA1", clock.now())
    async with dialled(parts) as socket:
        await say(socket, CONNECTED, start(token))
        assert await close_of(socket) == (1008, "invalid stream token")

    assert parts.voice.names and parts.admission.live == 0


async def test_a_used_or_another_calls_token_is_turned_away_alike() -> None:
    parts = make_parts()
    used, theirs = await parts.tokens.issue("CA1"), await parts.tokens.issue("CA2")
    await parts.tokens.consume(used, "CA1")
    for token in (used, theirs):
        async with dialled(parts) as socket:
            await say(socket, CONNECTED, start(token))
            assert await close_of(socket) == (1008, "invalid stream token")


@pytest.mark.parametrize("account_sid", ["AC2", "", "ac1", "AC1 "])
async def test_threat_2_a_stream_of_another_account_is_turned_away_with_its_token_unused(
    account_sid: str,
) -> None:
    parts = make_parts(locks=replace(make_parts().locks, account_sid="AC1"))
    token = await parts.tokens.issue("CA1")
    theirs = start(token)
    theirs["start"]["accountSid"] = account_sid
    async with dialled(parts) as socket:
        await say(socket, CONNECTED, theirs)
        assert await close_of(socket) == (1008, "invalid stream token")
    async with dialled(parts) as socket:
        await say(socket, CONNECTED, start(token))
        await socket.recv()

        assert parts.admission.live == 1


async def test_without_an_account_of_ours_any_accounts_stream_is_taken() -> None:
    parts = make_parts()
    async with dialled(parts) as socket:
        await say(socket, CONNECTED, start(await parts.tokens.issue("CA1")))
        await socket.recv()

        assert parts.admission.live == 1


async def test_an_expired_token_is_turned_away() -> None:
    parts = make_parts(tokens=LocalTokens(life_s=0))
    async with dialled(parts) as socket:
        await say(socket, CONNECTED, start(await parts.tokens.issue("CA1")))
        assert await close_of(socket) == (1008, "invalid stream token")


async def test_a_full_house_closes_the_socket_with_its_reason() -> None:
    parts = make_parts(admission=Admission(1))
    parts.admission.adopt("CA1", clock.now())
    async with dialled(parts) as socket:
        assert await close_of(socket) == (1008, "server at capacity")


async def test_too_many_sockets_without_a_start_are_not_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "MOST_PENDING", 0)
    async with dialled(make_parts()) as socket:
        assert await close_of(socket) == (1008, "server at capacity")


async def test_threat_4_one_address_cannot_hold_every_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "MOST_PER_ADDRESS", 1)
    monkeypatch.setattr(media, "counted_as", lambda peer: f"public {peer}")
    parts = make_parts()
    async with dialled(parts) as first, dialled(parts) as second:
        assert await close_of(second) == (1008, "server at capacity")
        await say(first, CONNECTED, start("wrong"))
        assert await close_of(first) == (1008, "invalid stream token")

    assert parts.pending.refused == 1


async def test_a_socket_that_never_starts_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "START_WITHIN_S", 0.05)
    async with dialled(make_parts()) as socket:
        await say(socket, CONNECTED)
        assert await close_of(socket) == (1008, "no start in time")


@pytest.mark.parametrize("text", ["not json", "[]", '{"event":"media"}', '{"event":"start"}', "[" * 5000])
async def test_what_is_no_media_stream_is_closed_before_anything_is_opened(text: str) -> None:
    parts = make_parts()
    async with dialled(parts) as socket:
        await socket.send(text)
        assert await close_of(socket) == (1008, "protocol broken")


async def test_a_message_larger_than_any_of_twilios_closes_the_socket() -> None:
    async with dialled(make_parts()) as socket:
        await socket.send("x" * 70_000)
        assert (await close_of(socket))[0] == 1009


async def test_compression_is_never_negotiated() -> None:
    async with dialled(make_parts(), compression="deflate") as socket:
        assert socket.response is not None
        assert "sec-websocket-extensions" not in socket.response.headers


@pytest.mark.parametrize(
    "url", [f"{PUBLIC.replace('https', 'wss')}/media-stream{slash}" for slash in ("", "/")]
)
async def test_a_handshake_signed_by_twilio_is_accepted(url: str) -> None:
    headers = {"x-twilio-signature": signature.sign(TOKEN, url)}
    async with dialled(make_parts(locks=locked()), additional_headers=headers) as socket:
        await say(socket, CONNECTED, start("wrong"))
        assert (await close_of(socket))[1] == "invalid stream token"


@pytest.mark.parametrize("header", ["", "wrong", signature.sign(TOKEN, f"{PUBLIC}/voice")])
async def test_a_handshake_that_is_not_signed_is_refused_before_it_is_accepted(header: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with dialled(make_parts(locks=locked()), additional_headers={"x-twilio-signature": header}):
            pass

    assert caught.value.response.status_code == 403


async def test_without_tokens_a_tunnels_handshake_is_refused() -> None:
    with pytest.raises(InvalidStatus):
        async with dialled(make_parts(), additional_headers={"X-Forwarded-For": "203.0.113.9"}):
            pass


class Listening(Stateless):
    """A conversation that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Fact] = []

    def handle(self, fact: Fact) -> list[Order]:
        self.told.append(fact)
        return []


async def test_a_conversation_that_goes_on_knows_what_was_heard_though_no_mark_told(tmp_path: Path) -> None:
    conversation = Listening()
    async with RecordFiles(tmp_path) as records:
        record = Record(call_sid="CA1", conversation="", heard=("Played.",), unheard=(Unheard("The rest."),))
        records.save(msgspec.structs.replace(record, written_at=clock.wall().timestamp()))
        parts = make_parts(script_for=lambda _path: Script(Immediate(conversation), listens=False))
        parts = replace(parts, means=replace(parts.means, records=records))
        parts.admission.reserve("CA1", clock.now())
        again = start(await parts.tokens.issue("CA1"))
        again["start"]["customParameters"]["resume"] = "1"
        async with dialled(parts) as socket:
            await say(socket, CONNECTED, again)
            while len(conversation.told) < 2:  # noqa: ASYNC110 - it has no bell
                await asyncio.sleep(0.01)

    assert conversation.told[:2] == [SentenceHeard("Played."), CallResumed((Say("The rest."),), cut_off=True)]
