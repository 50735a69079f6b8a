"""What callers leave behind, on disk."""

import json
from pathlib import Path

from app.calls.notes import CallBack, Notes, Recording


def test_wishes_to_be_called_back_are_lines_of_one_private_file(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "data")

    for number in ("+1", "+2"):
        notes.call_back(CallBack("2026-01-01T00:00:00+00:00", "CA1", number, "+9"))

    path = tmp_path / "data" / "callbacks.jsonl"
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == ["+1", "+2"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_recording_told_twice_is_one_note(tmp_path: Path) -> None:
    note = Recording("2026-01-01T00:00:00+00:00", "CA1", "RE1", "https://api.example/RE1", 7, "+1", "+9")

    paths = {Notes(tmp_path).recording(note) for _ in range(2)}

    assert paths == {tmp_path / "messages" / "CA1-RE1.json"}
    assert [path.name for path in (tmp_path / "messages").iterdir()] == ["CA1-RE1.json"]
    assert json.loads(paths.pop().read_text())["duration_s"] == 7
