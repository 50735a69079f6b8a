"""What became of a call, for scripts and for people."""

import json
from dataclasses import asdict

from app.simulator.dialogue import TurnFigures
from app.simulator.orders import Fault
from app.simulator.playback import Playback
from app.simulator.recording import Recording
from app.simulator.report import MOST_FAULTS, CallReport, Closed, StreamReport, told
from tests.simulator.bridge import LOUD

SURFACE = {"first_audio_ms", "audio_ms", "underruns", "underrun_ms", "marks", "clears", "closed", "turns"}


def stream(first_audio_ms: float | None = 12.5) -> StreamReport:
    """60 ms heard with one underrun of 20 ms, one mark, one clear."""
    report = StreamReport("MZ1", first_audio_ms=first_audio_ms)
    playback = Playback(report.figures, Recording())
    playback.play(LOUD)
    playback.tick()
    playback.tick()
    playback.play(LOUD * 2)
    playback.mark("m")
    playback.tick()
    playback.tick()
    playback.clear()
    report.turns = [TurnFigures(caller_ms=1000, silence_ms=300, reply_ms=2000)]
    report.closed = Closed(1000, "bye", "hotline")
    return report


def test_the_figures_of_the_surface_are_there_and_are_json() -> None:
    figures = CallReport("CA1", [stream()], heard=LOUD * 10).as_json()

    assert figures.keys() >= SURFACE
    assert json.loads(json.dumps(figures)) == figures
    assert figures["first_audio_ms"] == 12.5
    assert (figures["audio_ms"], figures["underruns"], figures["underrun_ms"]) == (60, 1, 20)
    assert (figures["marks"], figures["clears"]) == (1, 1)
    assert figures["closed"] == {"code": 1000, "reason": "bye", "by": "hotline"}
    assert figures["turns"] == [asdict(TurnFigures(caller_ms=1000, silence_ms=300, reply_ms=2000))]
    assert figures["voiced_ms"] == 200


def test_several_streams_are_added_up_and_the_last_close_counts() -> None:
    last = stream(None)
    last.closed = Closed(1006, "", "hotline")

    figures = CallReport("CA1", [stream(), last]).as_json()

    assert (figures["audio_ms"], figures["streams"]) == (120, 2)
    assert figures["first_audio_ms"] == 12.5
    assert figures["closed"] == {"code": 1006, "reason": "", "by": "hotline"}


def test_a_call_without_a_stream_has_no_first_audio_and_no_close() -> None:
    figures = CallReport("CA1", rejected="busy").as_json()

    assert (figures["first_audio_ms"], figures["closed"], figures["audio_ms"]) == (None, None, 0)
    assert figures["rejected"] == "busy"


def test_having_heard_takes_a_tenth_of_a_second_of_voice() -> None:
    assert not CallReport("CA1", heard=b"\xff" * 8000).has_heard
    assert not CallReport("CA1", heard=LOUD * 4).has_heard
    assert CallReport("CA1", heard=LOUD * 5).has_heard


def test_each_fault_is_kept_once_and_their_number_is_bounded() -> None:
    report = StreamReport("MZ1")

    for number in range(2 * MOST_FAULTS):
        report.add_fault(Fault(31951, "the same"))
        report.add_fault(Fault(31951, f"another {number}"))

    assert len(report.faults) == MOST_FAULTS
    assert [str(fault) for fault in report.faults].count("31951 the same") == 1


def test_a_person_is_told_the_same_in_words() -> None:
    report = CallReport("CA1", [stream()], said=["Goodbye."], faults=[Fault(12200, "odd")], heard=LOUD * 50)

    text = "\n".join(told(report))

    for part in (
        "call CA1",
        '"Goodbye."',
        "12.5 ms",
        "0.06 s, 1 mark",
        "1 (20 ms)",
        "caller spoke 1.00 s, reply after 300 ms, 2.00 s long",
        "the hotline, code 1000 (bye)",
        "fault: 12200 odd",
        "1.00 s at -6",
    ):
        assert part in text


def test_a_person_is_told_how_quickly_an_interruption_was_obeyed_and_what_was_heard() -> None:
    interrupted = stream()
    interrupted.greeting = "hello"
    interrupted.turns = [TurnFigures(500, silence_ms=200, reply_ms=900, clear_ms=220, heard="the tour dates")]

    text = "\n".join(told(CallReport("CA1", [interrupted], heard=LOUD * 50)))

    assert 'heard: "hello"' in text and 'heard: "the tour dates"' in text
    assert "caller spoke 0.50 s, the hotline fell silent after 220 ms, reply after 200 ms" in text


def test_a_person_is_told_when_nothing_was_heard() -> None:
    assert told(CallReport("CA1", rejected="busy")) == [
        "call CA1",
        "  rejected (busy): the call was not answered",
        "  the caller heard nothing",
    ]


def test_a_person_is_told_how_long_it_was_silent_and_whom_twilio_rang() -> None:
    report = CallReport("CA1", [stream(), stream()], dialled=["+1500"])
    report.silences.heard(LOUD)
    report.silences.stream_changed()
    report.silences.lasted(340)
    report.silences.heard(LOUD)

    lines = told(report)

    assert "  streams             2, silence between: 340 ms" in lines
    assert "  longest silence     340 ms" in lines
    assert "  dialled             +1500" in lines
