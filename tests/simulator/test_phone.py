"""The phone between ticker and socket, over a real socket, ticked by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from app.simulator.messages import Messages
from app.simulator.phone import Phone
from app.simulator.plan import Line, Patience, Turn
from app.simulator.recording import Recording
from app.simulator.report import StreamReport
from app.simulator.sender import Sender
from app.simulator.socket import Socket
from tests.simulator.bridge import BRIEF, HASTY, LOUD, Bridge, Peer, Script, eventually, serving


@dataclass
class Desk:
    """A phone that has been picked up."""

    phone: Phone
    report: StreamReport
    recording: Recording
    bridge: Bridge
    socket: Socket

    async def arrived(self, mulaw_bytes: int) -> None:
        await eventually(lambda: self.report.figures.received_bytes >= mulaw_bytes)

    async def faulted(self) -> list[int]:
        await eventually(lambda: bool(self.report.faults))
        return [fault.code for fault in self.report.faults]

    def tick(self, count: int) -> None:
        for _ in range(count):
            self.phone.tick()

    @property
    def peer(self) -> Peer:
        return self.bridge.peers[0]


@asynccontextmanager
async def picked_up(
    script: Script, *turns: Turn, patience: Patience = BRIEF, strict: bool = False
) -> AsyncIterator[Desk]:
    async with serving(script) as bridge:
        plan = bridge.plan(turns=turns, patience=patience, quirks=replace(HASTY, strict=strict))
        report, recording = StreamReport("MZ1"), Recording()
        socket = Socket(bridge.url.replace("http", "ws") + "/media", {})
        messages = Messages(stream_sid="MZ1", call_sid="CA1", account_sid="AC1")
        phone = Phone(plan, Sender(socket, messages, Line()), report, recording)
        await socket.open(phone, within_s=5)
        phone.start({})
        yield Desk(phone, report, recording, bridge, socket)
        socket.abort()


async def say_two_frames(peer: Peer) -> None:
    await peer.play(2)
    await peer.mark("m")


async def test_what_the_bridge_plays_is_heard_and_its_mark_echoed() -> None:
    async with picked_up(say_two_frames) as desk:
        await desk.arrived(320)
        await eventually(lambda: desk.report.figures.marks == 1)
        desk.tick(3)
        await desk.peer.until("mark")

    assert desk.recording.mulaw == LOUD * 2 + b"\xff" * 160
    assert [mark["mark"] for mark in desk.peer.of("mark")] == [{"name": "m"}]
    assert len(desk.peer.of("media")) >= 2


async def interrupt(peer: Peer) -> None:
    await peer.play(100)
    await peer.mark("cleared")
    await peer.clear()
    await peer.play(1)


async def test_clear_is_obeyed_and_its_marks_echoed_without_a_tick() -> None:
    async with picked_up(interrupt) as desk:
        await desk.arrived(101 * 160)
        await desk.peer.until("mark")
        desk.tick(2)

    assert [mark["mark"]["name"] for mark in desk.peer.of("mark")] == ["cleared"]
    assert desk.recording.mulaw == LOUD + b"\xff" * 160


async def test_the_caller_speaks_and_presses_keys() -> None:
    turns = (Turn(bytes(range(160)), interrupt_after_ms=20), Turn(digits="12", interrupt_after_ms=0))
    async with picked_up(say_two_frames, *turns) as desk:
        await desk.arrived(320)
        desk.tick(3)
        await desk.peer.until("dtmf", 2)

    assert [key["dtmf"]["digit"] for key in desk.peer.of("dtmf")] == ["1", "2"]
    payloads = [media["media"]["payload"] for media in desk.peer.of("media")]
    assert len(payloads) == 3 and payloads[0] != payloads[1] == payloads[2]


async def test_a_caller_who_has_heard_enough_ends_the_stream() -> None:
    async with picked_up(say_two_frames, patience=replace(BRIEF, hang_up_after_ms=40)) as desk:
        await desk.arrived(320)
        desk.tick(1)
        before = desk.phone.over.is_set()
        desk.tick(1)

        assert (before, desk.phone.over.is_set()) == (False, True)


async def send_nonsense(peer: Peer) -> None:
    await peer.send({"event": "keepalive"})
    await peer.websocket.send_bytes(b"binary")
    await peer.play(1)


async def test_a_malformed_message_is_noted_and_the_stream_goes_on() -> None:
    async with picked_up(send_nonsense) as desk:
        await desk.arrived(160)

        assert await desk.faulted() == [31951, 31950]
        assert desk.socket.is_open


async def test_a_strict_phone_ends_the_stream_at_the_first_one() -> None:
    async with picked_up(send_nonsense, strict=True) as desk:
        await desk.peer.until("closed")
        codes = await desk.faulted()

        assert codes[:2] == [31951, 31924]
        assert desk.phone.over.is_set()
    assert desk.peer.close_code == 1002


async def test_the_end_completes_the_report() -> None:
    async with picked_up(say_two_frames, Turn(digits="1", interrupt_after_ms=20)) as desk:
        await desk.arrived(320)
        desk.tick(4)
        desk.phone.finish()

    assert [turn.caller_ms for turn in desk.report.turns] == [0]
    assert desk.report.figures.gaps.underruns == 0
