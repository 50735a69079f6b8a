"""The bridge's messages, obeyed and judged."""

import json
from base64 import b64encode

import pytest

from app.simulator.orders import Fault
from app.simulator.playback import Playback
from app.simulator.receiver import Receiver
from app.simulator.recording import Recording
from app.simulator.report import StreamReport

SID = "MZ1"


class Desk:
    """A receiver with its playback and report."""

    def __init__(self, *, longest_backlog_ms: int = 60_000) -> None:
        self.report = StreamReport(SID)
        self.playback = Playback(
            self.report.figures, Recording(), mark_latency_ms=0, longest_backlog_ms=longest_backlog_ms
        )
        self.receiver = Receiver(self.playback, self.report)

    def media(self, mulaw: bytes, now: float = 10.0) -> list[str]:
        body = {"payload": b64encode(mulaw).decode()}
        return self._send({"event": "media", "streamSid": SID, "media": body}, now)

    def mark(self, name: str) -> list[str]:
        return self._send({"event": "mark", "streamSid": SID, "mark": {"name": name}}, 10.0)

    def clear(self) -> list[str]:
        return self._send({"event": "clear", "streamSid": SID}, 10.0)

    def _send(self, message: object, now: float) -> list[str]:
        return self.receiver.receive(json.dumps(message).encode(), now)


def started(**options: int) -> Desk:
    desk = Desk(**options)
    desk.receiver.started(9.0)
    return desk


def test_nothing_may_come_before_start() -> None:
    with pytest.raises(Fault, match="31951 message before 'start'"):
        Desk().media(b"\x10" * 160)


def test_the_first_audio_is_timed_from_start_and_only_the_first() -> None:
    desk = started()

    desk.mark("before any audio")
    desk.media(b"\x10" * 160, now=9.25)
    desk.media(b"\x10" * 160, now=9.75)

    assert desk.report.first_audio_ms == 250.0


def test_audio_is_played_and_marks_follow_it() -> None:
    desk = started()

    assert desk.media(b"\x10" * 160) == []
    assert desk.mark("m") == []
    assert desk.playback.tick() == b"\x10" * 160
    assert desk.playback.echoes() == ["m"]


def test_clear_gives_the_marks_to_echo_at_once() -> None:
    desk = started()
    desk.media(b"\x10" * 1600)
    desk.mark("m")

    assert desk.clear() == ["m"]
    assert desk.playback.is_quiet


def test_a_full_buffer_is_reported_once() -> None:
    desk = started(longest_backlog_ms=20)

    for _ in range(3):
        desk.media(b"\x10" * 160)

    assert [fault.code for fault in desk.report.faults] == [31931]


@pytest.mark.parametrize("piece", [1, 160, 5000])
def test_a_wav_file_sent_as_mulaw_is_reported_in_whatever_pieces(piece: int) -> None:
    desk, wav = started(), b"RIFF" + b"\x10" * 3000

    for at in range(0, len(wav), piece):
        desk.media(wav[at : at + piece])
    desk.receiver.finish()

    assert [str(fault) for fault in desk.report.faults] == [
        "31951 audio that begins like a file, expected bare mu-law"
    ]


def test_a_stream_shorter_than_the_look_is_judged_at_its_end() -> None:
    desk = started()
    desk.media(b"ID3" + b"\x00" * 60)

    assert desk.report.faults == []
    desk.receiver.finish()

    assert [fault.code for fault in desk.report.faults] == [31951]
