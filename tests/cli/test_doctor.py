"""`hotline doctor`."""

import json
from pathlib import Path

import pytest

from app.cli.doctor import examine, look_around
from app.cli.parser import run
from app.settings import Settings
from tests.settings.test_advice import PRODUCTION


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**PRODUCTION, "DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    for name in ("RAILWAY_PUBLIC_DOMAIN", "REDIS_URL", "LOG_PII", "CONVERSATION"):
        monkeypatch.delenv(name, raising=False)


def test_a_good_environment_exits_0(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 10001)
    monkeypatch.setenv("MAX_CALLS", "4")

    assert run(["doctor"]) == 0
    assert capsys.readouterr().out == "nothing to do\n"


def test_warnings_exit_1_each_with_its_cure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_PII", "1")
    monkeypatch.setenv("ADMIN_TOKEN", "canary")

    assert run(["doctor"]) == 1
    out = capsys.readouterr().out
    assert (
        "warning  LOG_PII: callers' words and numbers are written to the log\n         -> unset it\n" in out
    )
    assert "openssl rand -hex 32" in out and "canary" not in out


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_PII", "1")

    assert run(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["starts"] is True
    assert {"level", "setting", "found", "cure"} == set(report["advice"][0])
    assert report["advice"][0]["setting"] == "LOG_PII"


@pytest.mark.parametrize(
    "changes",
    [{"MAX_CALLS": "none"}, {"HOTLINE_SCRIPT": "/no/such.toml"}, {"CONVERSATION": "llm"}],
    ids=["a value", "a script", "no model"],
)
def test_what_cannot_start_exits_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)

    assert run(["doctor"]) == 2
    assert "cannot start" in capsys.readouterr().err
    assert run(["doctor", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["starts"] is False and len(report["faults"]) == 1


def test_a_folder_that_is_missing_is_judged_by_what_is_above_it_and_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    around = look_around(Settings.load({"DATA_DIR": str(folder)}), {})

    assert around.data_dir_fault == "" and around.free_bytes > 0
    assert not folder.parent.exists()


def test_a_folder_that_is_a_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    found = examine({"DATA_DIR": str(tmp_path / "file")})
    assert ("warning", "DATA_DIR") in {(one.level, one.setting) for one in found}


def test_a_folder_that_even_root_cannot_write_is_a_fault() -> None:
    assert look_around(Settings.load({"DATA_DIR": "/proc"}), {}).data_dir_fault != ""
