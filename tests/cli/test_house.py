"""`hotline house`: the kill switch from a terminal."""

from pathlib import Path

import pytest

from app.calls.closing import Closing
from app.cli.parser import run


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("DATA_DIR", str(folder))
    monkeypatch.delenv("HOTLINE_CLOSED", raising=False)
    return folder


async def test_what_closes_and_opens_is_what_a_server_looks_for(data_dir: Path) -> None:
    closing = Closing(data_dir)
    reasons = []
    for task in ("close", "close", "open", "open"):
        assert run(["house", task]) == 0
        await closing.look()
        reasons.append(bool(closing.reason))

    assert reasons == [True, True, False, False]


def test_the_setting_keeps_the_house_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTLINE_CLOSED", "1")

    assert run(["house", "open"]) == 1
    assert "HOTLINE_CLOSED is set" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["close", "open"])
def test_a_switch_that_cannot_be_moved_is_told(
    task: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir.write_text("a file where the folder should be")

    assert run(["house", task]) == 1
    assert f"not {'closed' if task == 'close' else 'opened'}" in capsys.readouterr().err
