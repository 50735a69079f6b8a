"""What callers leave behind, on disk."""

import json
from concurrent.futures import ThreadPoolExecutor
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


def test_wishes_are_deleted_while_others_are_noted_and_none_of_those_is_lost(tmp_path: Path) -> None:
    notes = Notes(tmp_path)

    def note(number: int) -> None:
        notes.call_back(CallBack("2026-01-01T00:00:00+00:00", "CA1", f"+{number}", "+9"))

    def delete_odd(_number: int) -> int:
        return notes.keep_call_backs(lambda line: int(json.loads(line)["number"]) % 2 == 0)

    with ThreadPoolExecutor(8) as threads:
        noting = [threads.submit(note, number) for number in range(200)]
        deleting = [threads.submit(delete_odd, number) for number in range(40)]
        for task in noting + deleting:
            task.result()
    delete_odd(0)

    found = sorted(int(json.loads(line)["number"]) for line in notes.call_backs())
    assert found == list(range(0, 200, 2))
    assert (tmp_path / "callbacks.jsonl").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["callbacks.jsonl"]


def test_what_a_process_left_half_deleted_when_it_died_is_gone(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.call_back(CallBack("2026-01-01T00:00:00+00:00", "CA1", "+1", "+9"))
    (tmp_path / "callbacks.part").write_text("+15005550123")

    assert notes.keep_call_backs(lambda _line: True) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["callbacks.jsonl"]


def test_without_wishes_there_is_nothing_to_delete_and_no_file_is_made(tmp_path: Path) -> None:
    assert Notes(tmp_path).call_backs() == []
    assert Notes(tmp_path).keep_call_backs(lambda _line: False) == 0
    assert list(tmp_path.iterdir()) == []
