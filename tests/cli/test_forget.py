"""Deleting what one caller left, from the terminal."""

from pathlib import Path

import pytest

from app.calls.notes import CallBack, Notes
from app.cli.parser import run

NUMBER = "+15005550123"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    Notes(tmp_path).call_back(CallBack("2026-01-01T00:00:00+00:00", "CA1", NUMBER, "+9"))
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "CA1-1.wav").touch()
    (tmp_path / "messages" / "CA2-1.wav").touch()
    return tmp_path


def test_threat_19_a_number_is_forgotten_with_all_that_its_calls_left(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["forget", NUMBER]) == 0

    assert "1 messages, 1 wishes" in capsys.readouterr().out
    assert (data_dir / "callbacks.jsonl").read_bytes() == b""
    assert [path.name for path in (data_dir / "messages").iterdir()] == ["CA2-1.wav"]


def test_threat_19_a_call_is_forgotten(data_dir: Path) -> None:
    assert run(["forget", "--call", "CA2"]) == 0

    assert [path.name for path in (data_dir / "messages").iterdir()] == ["CA1-1.wav"]


def test_who_left_nothing_is_told_by_the_exit_code(data_dir: Path) -> None:
    assert run(["forget", "+1"]) == 1
    assert len(list(data_dir.rglob("*-1.wav"))) == 2


@pytest.mark.parametrize("argv", [["forget"], ["forget", NUMBER, "--call", "CA1"], ["forget", ""]])
def test_nobody_is_not_everybody(data_dir: Path, argv: list[str]) -> None:
    try:
        assert run(argv) == 1
    except SystemExit as left:
        assert left.code == 2
    assert len(list(data_dir.rglob("*-1.wav"))) == 2


def test_what_cannot_be_deleted_is_named(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data_dir / "callbacks.jsonl").unlink()
    (data_dir / "callbacks.jsonl").mkdir()

    assert run(["forget", "--call", "CA2"]) == 1
    assert "could not be deleted" in capsys.readouterr().err
    assert run(["forget", NUMBER]) == 1
    assert "nothing was deleted" in capsys.readouterr().err
