"""What the log says of what has left."""

from app.calls.tally import Tally
from app.log import Event, attach
from app.playout.pacer import Underruns


def test_a_reply_is_told_with_its_frames_and_counted_anew() -> None:
    seen: list[Event] = []
    detach = attach(seen.append)
    tally = Tally()
    tally.played(b"\xff" * 480, 5.0)
    tally.played(b"\xff" * 160, 6.0)
    tally.report_reply(sentences=2)
    detach()

    assert tally.first_sent_at == 5.0
    assert (seen[0]["frames"], seen[0]["bytes_out"], seen[0]["audio_ms"]) == (4, 640, 80)
    assert tally.reply_frames == 0


def test_each_underrun_is_told_once_with_its_own_length() -> None:
    seen: list[Event] = []
    detach = attach(seen.append)
    tally = Tally()
    for met in (Underruns(1, 100.0), Underruns(1, 100.0), Underruns(2, 350.0)):
        tally.report_underrun(met)
    detach()

    assert [event["gap_ms"] for event in seen] == [100, 250]
