"""What was heard, written down: cut at turns and at pauses, by ears that count and by the embedded ones."""

import pytest

from app.errors import ConfigError
from app.simulator import transcript, voice
from app.simulator.dialogue import TurnFigures
from app.simulator.report import CallReport, StreamReport
from app.simulator.transcript import LONGEST_MS, write_down
from app.speech.espeak import AUDIO_FORMAT, PHONE_VOICE, synthesize
from tests.simulator.bridge import LOUD

QUIET = b"\xff" * 160


def call(*turns: TurnFigures, heard: bytes, before: bytes = b"") -> CallReport:
    """A call of one stream, before which Twilio's own voice was heard."""
    stream = StreamReport("MZ1", turns=list(turns), heard_from=len(before))
    stream.figures.ticks = len(heard) // 160
    return CallReport("CA1", [stream], heard=before + heard + LOUD * 50)


def turn(reply_at_ms: int | None) -> TurnFigures:
    return TurnFigures(caller_ms=100, reply_at_ms=reply_at_ms)


def frames_of_voice(mulaw: bytes) -> str:
    """Ears that count."""
    return str(mulaw.count(LOUD))


def test_every_reply_has_the_words_that_were_heard_until_the_next() -> None:
    heard = LOUD * 10 + QUIET * 30 + LOUD * 20 + QUIET * 30 + LOUD * 5
    report = call(turn(800), turn(None), turn(1800), heard=heard, before=LOUD * 7)

    write_down(report, frames_of_voice)

    (stream,) = report.streams
    assert stream.greeting == "10"
    assert [taken.heard for taken in stream.turns] == ["20", "", "5"]
    assert report.as_json()["greeting"] == "10"


def test_a_reply_is_cut_at_its_pauses_and_no_shorter_ones() -> None:
    report = call(turn(0), heard=LOUD * 3 + QUIET * 11 + LOUD * 4 + QUIET * 12 + LOUD * 5)

    write_down(report, frames_of_voice)

    assert report.streams[0].turns[0].heard == "7 5"


def test_of_a_very_long_reply_the_beginning_is_enough() -> None:
    report = call(turn(0), heard=LOUD * (LONGEST_MS // 20 + 100))

    write_down(report, frames_of_voice)

    assert report.streams[0].turns[0].heard == str(LONGEST_MS // 20)


def test_silence_has_no_words() -> None:
    report = call(turn(None), heard=QUIET * 100)

    write_down(report, frames_of_voice)

    assert (report.streams[0].greeting, report.streams[0].turns[0].heard) == ("", "")
    assert report.as_json()["greeting"] is None


async def test_the_embedded_ears_know_plain_words() -> None:
    pytest.importorskip("pocketsphinx")
    said = "please leave a message after the tone"
    spoken = voice.convert(await synthesize(said, PHONE_VOICE), AUDIO_FORMAT)
    report = call(turn(0), heard=spoken)

    write_down(report)

    heard = (report.streams[0].turns[0].heard or "").split()
    assert len(set(said.split()) & set(heard)) >= 4


def test_without_the_embedded_ears_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "NAME", "no_such_ears")

    assert not transcript.is_possible()
    with pytest.raises(ConfigError, match="local-hearing"):
        write_down(CallReport("CA1"))
