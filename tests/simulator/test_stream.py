"""Streams from handshake to close, and how they can end."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from websockets.utils import accept_key

from app import clock
from app.simulator.exchange import Exchange
from app.simulator.messages import Messages
from app.simulator.orders import Fault
from app.simulator.plan import CallPlan, Ending, Line
from app.simulator.recording import Recording
from app.simulator.report import Closed, StreamReport
from app.simulator.stream import Dial, open_stream
from tests.simulator.bridge import BRIEF, HASTY, Bridge, Peer, greet, serving, silent

SOON = replace(BRIEF, hang_up_after_ms=60)


async def hold(bridge: Bridge, exchange: Exchange, plan: CallPlan, *, longest_s: float = 5) -> Closed:
    messages = Messages(stream_sid="MZ1", call_sid="CA1", account_sid="AC1")
    dial = Dial(bridge.url.replace("http", "ws") + "/media", {}, messages, {"token": "t"})
    stream = await open_stream(dial, plan, StreamReport("MZ1"), Recording())
    return await stream.hold(exchange.ticker, clock.now() + longest_s)


async def ended(
    script: Any = greet, *, longest_s: float = 5, by_bridge: bool = False, **plan: Any
) -> tuple[Closed, Peer]:
    """How a stream ended, for the caller and for the bridge."""
    async with serving(script, hang_up_after_script=by_bridge) as bridge, Exchange() as exchange:
        closed = await hold(bridge, exchange, bridge.plan(**plan), longest_s=longest_s)
        if not by_bridge:
            await bridge.peer_until("closed")
    return closed, bridge.peers[0]


async def test_a_caller_who_hangs_up_says_stop_and_closes_normally() -> None:
    closed, peer = await ended(patience=SOON)

    assert closed == Closed(1000, "", "caller")
    assert peer.received[-1]["event"] == "stop"
    assert peer.close_code == 1000


async def test_a_caller_without_time_hangs_up_too() -> None:
    closed, peer = await ended(silent, longest_s=0.05)

    assert closed == Closed(1000, "", "caller")
    assert peer.received[-1]["event"] == "stop"


async def test_a_close_by_the_hotline_is_told_with_its_code_and_reason() -> None:
    closed, peer = await ended(by_bridge=True)

    assert closed == Closed(1000, "goodbye", "hotline")
    assert peer.of("stop") == []


async def test_a_reset_has_neither_stop_nor_close() -> None:
    closed, peer = await ended(patience=SOON, ending=Ending.RESET)

    assert closed == Closed(1006, "", "caller")
    assert peer.of("stop") == []
    assert peer.close_code != 1000


async def test_a_half_open_connection_says_nothing_more_and_is_gone_later() -> None:
    closed, peer = await ended(patience=SOON, ending=Ending.HALF_OPEN, half_open_s=0.05)

    assert closed == Closed(1006, "", "caller")
    assert peer.of("stop") == []


async def test_order_and_code_of_the_end_can_be_chosen() -> None:
    quirks = replace(HASTY, stop_before_close=False, close_code=1001)

    closed, peer = await ended(patience=SOON, quirks=quirks)

    assert closed.code == peer.close_code == 1001
    assert peer.of("stop") == []


async def test_a_deaf_caller_hears_late_and_hangs_up_all_the_same() -> None:
    line = Line(deaf_from_ms=1, deaf_ms=60_000)

    async def greet_later(peer: Peer) -> None:
        await peer.until("media", 3)
        await greet(peer)

    closed, peer = await ended(greet_later, longest_s=0.2, line=line)

    assert closed.by == "caller"
    assert peer.of("mark") == []
    assert peer.close_code == 1000


async def test_on_a_jittery_line_stop_is_still_the_last_word() -> None:
    _, peer = await ended(patience=SOON, line=Line(jitter_ms=60))

    assert peer.received[-1]["event"] == "stop"


async def test_a_bridge_that_never_answers_the_close_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.simulator.stream.CLOSE_WITHIN_S", 0.05)

    gate = asyncio.Event()

    async def accept_and_freeze(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = request.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
        answer = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept_key(key)}"
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\n{answer}\r\n\r\n".encode())
        await gate.wait()
        writer.close()

    async with (
        await asyncio.start_server(accept_and_freeze, "127.0.0.1", 0) as server,
        Exchange() as exchange,
    ):
        bridge = Bridge(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        closed = await hold(bridge, exchange, bridge.plan(), longest_s=0.05)
        gate.set()

    assert closed == Closed(1006, "", "caller")


async def test_a_refused_handshake_is_a_fault() -> None:
    async with serving(handshake=403) as bridge, Exchange() as exchange:
        with pytest.raises(Fault, match="31920 handshake refused: answer 403"):
            await hold(bridge, exchange, bridge.plan())
