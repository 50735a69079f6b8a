"""Bytes that no WebSocket library sends, in the manner of the Autobahn suite: each has its close.

35 huge frames · 36 messages without an end · 37 binary frames · 38 text that is none · 53 compression. Every
case comes twice: from a socket that has only shaken hands, and in the midst of a call.
"""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import pytest

from app.log import Event, attach
from app.simulator.load import resident_kib
from app.web import media
from tests.standins.house import CONNECTED, STOP, house, start
from tests.standins.raw_socket import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    SIGNED,
    TEXT,
    RawSocket,
    connected,
    frame,
    text,
    upgrade,
)
from tests.standins.voice import tone

BAD, BAD_TEXT, TOO_BIG, POLICY, NORMAL = 1002, 1007, 1009, 1008, 1000
UMLAUT = "ü".encode()
KIB = 1024


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


CASES: dict[str, tuple[bytes, int]] = {
    **{f"reserved bit {bit}": (frame(TEXT, b"{}", rsv=bit), BAD) for bit in (1, 2, 4)},
    "compressed, as if it had been agreed": (frame(TEXT, b"\xaa\x56\x4a\x2d", rsv=4), BAD),
    **{f"opcode {opcode}": (frame(opcode, b"x"), BAD) for opcode in (3, 7, 11, 15)},
    "a ping of 126 bytes": (frame(PING, bytes(126)), BAD),
    "a pong of 64 KiB": (frame(PONG, bytes(64 * KIB)), BAD),
    "a close of 126 bytes": (frame(CLOSE, bytes(126)), BAD),
    "a ping in fragments": (frame(PING, b"x", fin=False), BAD),
    "a close in fragments": (frame(CLOSE, b"", fin=False), BAD),
    "no mask": (frame(TEXT, b"{}", masked=False), BAD),
    "a continuation of nothing": (frame(CONT, b"x"), BAD),
    "a message within a message": (frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), BAD),
    "a close within a message": (frame(TEXT, b"{", fin=False) + close(1000), BAD),
    "a frame of 2**63 bytes": (frame(TEXT, b"", length=2**63), TOO_BIG),
    "a frame larger than 64 KiB": (frame(BINARY, b"", length=64 * KIB + 1), TOO_BIG),
    "fragments larger than 64 KiB together": (
        frame(TEXT, bytes(60 * KIB), fin=False) + frame(CONT, bytes(5 * KIB), fin=False),
        TOO_BIG,
    ),
    "bytes that are no text": (frame(TEXT, b"\xff\xfe"), BAD_TEXT),
    "half a character": (frame(TEXT, UMLAUT[:1]), BAD_TEXT),
    "a surrogate": (frame(TEXT, b"\xed\xa0\x80"), BAD_TEXT),
    "no text, in fragments": (frame(TEXT, UMLAUT[:1], fin=False) + frame(CONT, b"x"), BAD_TEXT),
    "no text, and a farewell at once": (frame(TEXT, b"\xff") + close(1000), 1000),
    "no text, twice": (frame(TEXT, b"\xff") * 2, BAD_TEXT),
    "a close of one byte": (frame(CLOSE, b"\x03"), BAD),
    **{f"close {code}": (close(code), BAD) for code in (0, 999, 1005, 1006, 1015, 2999)},
    "a close whose reason is no text": (close(1000, b"\xff"), BAD_TEXT),
    "a close without a code": (frame(CLOSE), 0),
    "close 4999": (close(4999), 4999),
    "a ping after the close": (close(1000) + frame(PING, b"x") * 100, 1000),
}


CODES = {name: code for name, (_, code) in CASES.items()}


async def test_36_38_before_a_start_it_is_closed_and_nothing_stays() -> None:
    """All cases, each on a socket of its own that has only shaken hands."""

    async def attack(raw: bytes) -> int:
        async with there.shaken() as socket:
            await socket.send(raw)
            return await socket.close_code()

    async with house() as there:
        assert await _all_at_once(attack) == CODES
        await there.empty()


async def test_36_38_in_a_call_it_costs_this_call_and_no_other() -> None:
    """All cases, each in a call of its own, beside one that listens."""
    seen: list[Event] = []
    detach = attach(seen.append)

    async def attack(raw: bytes) -> int:
        async with there.live(f"CA{next(numbers)}") as socket:
            await socket.send(raw)
            return await socket.close_code()

    numbers = count()
    async with house(slots=len(CASES) + 1, seconds=4.0) as there, there.live("CA-listens") as listener:
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listener.heard(until_bytes=4 * 8000))
            attacks = group.create_task(_all_at_once(attack))
        await listener.send(text(json.dumps(STOP)))
        await there.empty()
    detach()

    assert attacks.result() == CODES
    assert listening.result() == tone(440, 4.0)
    assert [event for event in seen if event["event"] == "library.logged"] == []
    assert [event for event in seen if event["level"] in ("error", "critical")] == []


async def _all_at_once(attack: Callable[[bytes], Coroutine[Any, Any, int]]) -> dict[str, int]:
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(attack(raw)) for name, (raw, _) in CASES.items()}
    return {name: task.result() for name, task in tasks.items()}


async def test_36_fragments_that_never_end_are_bounded_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "START_WITHIN_S", 0.5)
    async with house() as there:
        async with there.shaken() as socket:
            await socket.send(frame(TEXT, b"{", fin=False))
            async with asyncio.TaskGroup() as group:
                trickle = group.create_task(_trickle(socket, frame(CONT, b"", fin=False)))
                assert await socket.close_code() == POLICY
                trickle.cancel()
        await there.empty()


async def _trickle(socket: RawSocket, raw: bytes) -> None:
    while True:
        try:
            await socket.send(raw)
        except ConnectionError:
            return
        await asyncio.sleep(0.02)


async def test_37_binary_frames_of_a_call_are_counted_and_then_end_it() -> None:
    async with house() as there:
        async with there.live() as socket:
            await socket.send(frame(BINARY, b"\x00" * 160) * 19 + text(json.dumps(STOP)))
            assert await socket.close_code() == NORMAL
        async with there.live("CA2") as socket:
            await socket.send(frame(BINARY, b"\x00" * 160) * 20)
            assert await socket.close_code() == BAD
        await there.empty()


async def test_53_compression_is_offered_in_vain() -> None:
    async with house() as there, connected(there.url) as socket:
        await socket.send(
            upgrade({**SIGNED, "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"})
        )
        assert b"extensions" not in (await socket.head()).lower()
        await socket.send(frame(TEXT, b"\xaa\x56\x4a\x2d", rsv=4))
        assert await socket.close_code() == BAD


async def test_a_character_may_lie_in_two_fragments() -> None:
    message = json.dumps({**start("wrong"), "x": "ü"}, ensure_ascii=False).encode()
    at = message.index(UMLAUT) + 1
    async with house() as there, there.shaken() as socket:
        hello = text(json.dumps(CONNECTED))
        await socket.send(
            hello + frame(TEXT, message[:at], fin=False) + frame(PING) + frame(CONT, message[at:])
        )

        assert await socket.next_frame() == (PONG, b"")
        assert await socket.close_code() == POLICY  # understood, and its token is wrong


@pytest.mark.parametrize("opcode", [PING, PONG], ids=["pings", "pongs"])
async def test_a_flood_of_control_frames_costs_no_memory_and_no_frame_of_another_call(opcode: int) -> None:
    async with house(seconds=3.0) as there, there.live("CA-listens") as listener, there.live() as flood:
        before = resident_kib(os.getpid())
        flood.push(frame(opcode, bytes(125)) * 40_000)  # 5 MB, and no pong of it is ever read
        assert await listener.heard(until_bytes=3 * 8000) == tone(440, 3.0)
        after = resident_kib(os.getpid())
        flood.reset()
        await listener.send(text(json.dumps(STOP)))
        await there.empty()

    assert before is not None and after is not None
    assert after - before < 24_000  # our own 5 MB, and as much again while it is sent; pongs would be 8 more


@pytest.mark.parametrize("raw", [b"", frame(TEXT, bytes(1000))[:500]], ids=["between frames", "in mid-frame"])
async def test_27_a_reset_gives_back_the_slot(raw: bytes) -> None:
    async with house() as there, there.live() as socket:
        await socket.send(raw)
        socket.reset()
        await there.empty()


async def test_data_right_behind_the_handshake_is_harmless() -> None:
    async with house() as there:
        async with connected(there.url) as socket:
            await socket.send(upgrade())
            await socket.send(text(json.dumps(CONNECTED)))  # before it could see our answer
            assert await socket.status() == 101
            await socket.send(text("nonsense"))
            assert await socket.close_code() == POLICY
        await there.empty()


async def test_two_handshakes_at_once_are_one() -> None:
    async with house() as there:
        async with connected(there.url) as socket:
            await socket.send(upgrade() * 2)
            assert await socket.status() == 101
            await socket.send(text("nonsense"))
            assert await socket.close_code() in (POLICY, BAD)
        await there.empty()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Long": "x" * 9_000}, 431),
        ({f"X-{number}": "x" for number in range(200)}, 431),
        ({"X-Longer": "x" * 20_000}, 431),
        ({"Sec-WebSocket-Version": "12"}, 400),
        ({"Connection": "close"}, 404),
    ],
    ids=["a long line", "many lines", "more than any", "two versions", "no upgrade"],
)
async def test_a_handshake_like_no_other_is_refused_and_let_go(headers: dict[str, str], status: int) -> None:
    async with house() as there:
        async with connected(there.url) as socket:
            assert await socket.shake({**SIGNED, **headers}) == status
            await socket.close_code()
        await there.empty()
