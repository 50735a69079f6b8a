"""Messages of callers, on disk."""

import wave
from pathlib import Path

from app.calls.listening import Listening
from app.calls.message import Mailbox, save
from app.hearing.ear import Ears
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.log import Event, attach
from tests.standins.voice import tone


def listening() -> Listening:
    return Listening(Ears(VadBank(Silero.load())).open(), tell=lambda _fact: None)


def test_a_message_is_a_wav_file_of_its_own(tmp_path: Path) -> None:
    paths = [save(tmp_path / "new", "CA1", tone(440, 0.5)) for _ in range(2)]

    assert [path.name for path in paths] == ["CA1-1.wav", "CA1-2.wav"]
    with wave.open(str(paths[0])) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getnframes()) == (8000, 1, 4000)
    assert list((tmp_path / "new").glob("*.part")) == []
    assert paths[0].stat().st_mode & 0o077 == 0  # a voice is for nobody else's ears


def test_what_the_caller_says_while_the_mailbox_is_open_is_kept(tmp_path: Path) -> None:
    line = listening()
    mailbox = Mailbox(line, tmp_path, "CA1")
    line.hear(0, b"\xff" * 160)
    mailbox.open()
    line.hear(20, tone(440, 0.02))
    mailbox.close(keep=True)
    line.hear(40, b"\xff" * 160)

    with wave.open(str(tmp_path / "CA1-1.wav")) as wav:
        assert wav.getnframes() == 160


def test_silence_is_not_kept(tmp_path: Path) -> None:
    mailbox = Mailbox(listening(), tmp_path, "CA1")
    mailbox.open()
    mailbox.close(keep=False)

    assert list(tmp_path.iterdir()) == []


def test_threat_19_without_a_folder_nothing_is_kept_and_that_is_told(tmp_path: Path) -> None:
    seen: list[Event] = []
    detach = attach(seen.append)
    line = listening()
    mailbox = Mailbox(line, None, "CA1")
    mailbox.open()
    line.hear(0, b"\xff" * 160)
    mailbox.close(keep=True)
    detach()

    assert [(event["event"], event["reason"]) for event in seen] == [
        ("message.dropped", "RETENTION_DAYS is 0")
    ]
    assert line.recorded is None


def test_a_folder_that_cannot_be_written_is_told_and_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    seen: list[Event] = []
    detach = attach(seen.append)
    line = listening()
    mailbox = Mailbox(line, tmp_path / "file", "CA1")
    mailbox.open()
    line.hear(0, b"\xff" * 160)
    mailbox.close(keep=True)
    detach()

    assert [event["event"] for event in seen] == ["message.lost"]
