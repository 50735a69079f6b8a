"""What the caller's side sends, on a good line and on a bad one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.simulator.messages import Messages
from app.simulator.plan import Line
from app.simulator.sender import Sender
from app.simulator.socket import Socket
from tests.simulator.bridge import Bridge, Peer, serving
from tests.simulator.test_socket import Notes


@asynccontextmanager
async def sending(line: Line) -> AsyncIterator[tuple[Sender, Bridge, Socket]]:
    async with serving() as bridge:
        socket = Socket(bridge.url.replace("http", "ws") + "/media", {})
        messages = Messages(stream_sid="MZ1", call_sid="CA1", account_sid="AC1")
        sender = Sender(socket, messages, line)
        await socket.open(Notes(), within_s=5)
        yield sender, bridge, socket
        socket.abort()


def events(peer: Peer) -> list[str]:
    return [message["event"] for message in peer.received]


async def test_a_stream_opens_with_connected_and_start_and_keeps_its_order() -> None:
    async with sending(Line()) as (sender, bridge, _):
        sender.open({"token": "t"})
        sender.media(None, 0)
        sender.keys("1#")
        sender.marks(["a", "b"])
        sender.stop()
        await bridge.peer_until("stop")

    assert events(bridge.peers[0]) == ["connected", "start", "media", "dtmf", "dtmf", "mark", "mark", "stop"]
    assert [key["dtmf"]["digit"] for key in bridge.peers[0].of("dtmf")] == ["1", "#"]


async def test_silence_can_be_left_out_speech_never_is() -> None:
    async with sending(Line(skip_silence=True)) as (sender, bridge, _):
        sender.open({})
        sender.media(None, 0)
        sender.media(b"\x10" * 160, 1)
        sender.media(None, 2)
        sender.stop()
        await bridge.peer_until("stop")

    assert [media["media"]["chunk"] for media in bridge.peers[0].of("media")] == ["1"]


@pytest.mark.parametrize("line", [Line(jitter_ms=30), Line(stall_every_ms=20, stall_ms=15)])
async def test_a_bad_line_delays_and_loses_nothing(line: Line) -> None:
    async with sending(line) as (sender, bridge, _):
        sender.open({})
        for tick in range(20):
            sender.media(None, tick)
        sender.stop()
        await sender.drain()
        await bridge.peer_until("stop")

    sequence = [int(message["sequenceNumber"]) for message in bridge.peers[0].received[1:]]
    assert sequence == list(range(1, 23))


async def test_what_a_slow_bridge_does_not_read_is_dropped_and_noted() -> None:
    async with sending(Line()) as (sender, _, socket):
        sender.open({})
        sender.media(None, 0)
        before = sender.is_congested
        for tick in range(60_000):
            sender.media(None, tick)
        assert (before, sender.is_congested, socket.is_open) == (False, True, True)


async def test_a_refused_bridge_sees_a_protocol_error() -> None:
    async with sending(Line()) as (sender, bridge, socket):
        sender.open({})
        await bridge.peer_until("start")
        sender.refuse()
        await socket.wait_closed()
        await bridge.peer_until("closed")

    assert bridge.peers[0].close_code == 1002
