"""Messages of callers, on disk."""

import wave
from pathlib import Path

import pytest

from app.calls.message_file import MessageFile
from tests.standins.voice import tone


def left(folder: Path, name: str = "CA1") -> Path:
    file = MessageFile(folder, name)
    file.append(tone(440, 0.5))
    return file.finish()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_message_is_a_wav_file_of_its_own(tmp_path: Path) -> None:
    paths = [left(tmp_path / "new") for _ in range(2)]

    assert [path.name for path in paths] == names(tmp_path / "new") == ["CA1-1.wav", "CA1-2.wav"]
    with wave.open(str(paths[0])) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth(), wav.getnframes()) == (
            8000,
            1,
            2,
            4000,
        )


def test_what_was_written_before_a_crash_can_be_played_and_is_not_written_over(tmp_path: Path) -> None:
    dying = MessageFile(tmp_path, "CA1")
    for _ in range(3):
        dying.append(tone(440, 0.5))

    assert names(tmp_path) == ["CA1-1.part"]
    assert (tmp_path / "CA1-1.part").stat().st_mode & 0o077 == 0  # a voice is for nobody else's ears
    with wave.open(str(tmp_path / "CA1-1.part")) as wav:
        assert wav.getnframes() == len(wav.readframes(99_999)) / 2 == 12_000
    assert left(tmp_path).name == "CA1-2.wav"
    dying.discard()


def test_what_is_no_message_leaves_no_file(tmp_path: Path) -> None:
    file = MessageFile(tmp_path, "CA1")
    file.append(tone(440, 0.5))
    file.discard()
    MessageFile(tmp_path, "CA1").discard()
    with pytest.raises(OSError, match="no audio"):
        MessageFile(tmp_path, "CA1").finish()

    assert names(tmp_path) == []


def test_a_fault_is_told_at_the_end_and_nothing_is_written_after_it(tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    folder.write_text("")
    file = MessageFile(folder, "CA1")
    file.append(tone(440, 0.5))
    folder.unlink()
    file.append(tone(440, 0.5))

    with pytest.raises(FileExistsError):
        file.finish()
    assert names(tmp_path) == []
